"""The questions by which an arena's methods are held beside published ones, answered by hand."""

import pandas as pd
import pytest
from tiny_arena import Entered, Made, make_arena

from lethe.analysis.arena import read_arena
from measurements.arena_beside_7b import AGREES, CANNOT_TELL, DISAGREES, QUESTIONS, compared, page

PUBLISHED = pd.DataFrame(
    [
        {"method": "target", "verbmem_f": 60.0, "knowmem_f": 60.0, "privleak": -100.0, "knowmem_r": 50.0},
        {"method": "retrained", "verbmem_f": 20.0, "knowmem_f": 30.0, "privleak": 0.0, "knowmem_r": 50.0},
        {"method": "GA", "verbmem_f": 39.0, "knowmem_f": 46.0, "privleak": -51.0, "knowmem_r": 24.0},
    ]
)


@pytest.mark.parametrize(
    ("score", "yes", "no"),
    [("verbmem_f", 39, 41), ("knowmem_f", 44, 46), ("privleak", -49, -51), ("knowmem_r", 24, 26)],
)
def test_the_bound_lies_half_way(score, yes, no):
    (question,) = [question for question in QUESTIONS if question.score == score]
    references = PUBLISHED.set_index("method")[score].to_dict()
    assert question.answer(yes, references)
    assert not question.answer(no, references)


def test_a_method_is_held_beside_its_published_point_and_an_interval_that_reaches_both_answers_cannot_tell(tmp_path):
    scored = {"verbmem_f": 10.0, "privleak": 0.0, "knowmem_r": 26.0}
    studies = [Entered(entrant="ga", seed=seed, trials=[Made(candidates=[(300, scored)])]) for seed in (0, 1)]
    arena = read_arena(make_arena(tmp_path, studies), "tiny")
    table = compared(arena, PUBLISHED).assign(score=[question.score for question in QUESTIONS]).set_index("score")
    assert table["verdict"].to_dict() == {
        "verbmem_f": AGREES,
        "knowmem_f": CANNOT_TELL,
        "privleak": DISAGREES,
        "knowmem_r": CANNOT_TELL,
    }
    assert table["answers"].to_dict() == {
        "verbmem_f": ("yes", "yes"),
        "knowmem_f": ("no", "–"),
        "privleak": ("no", "yes"),
        "knowmem_r": ("yes", "either"),
    }
    assert "| no, yes | disagrees |" in page(arena, PUBLISHED)
    assert "Of 1 methods: agrees 1, disagrees 0, cannot tell 0." in page(arena, PUBLISHED)
    assert "over all items, half seen by the choice" in page(arena, PUBLISHED)
