"""What went and what it cost, in words, by hand numbers; nothing is said where nothing is known."""

import pandas as pd
import pytest
from slow_candidates import read_candidates
from tiny_study import candidate, tiny_ledger

from lethe.analysis.outcome import going_and_staying, outcome, reaches
from lethe.fronts.objectives import ENDS, Objective

SCORE = "verbmem_f"
REFERENCES = {
    "target": {"verbmem_f": [100.0, 99, 100], "privleak": [-100.0, -100, -84], "knowmem_r": [88.0, 83, 93]},
    "retrained": {"verbmem_f": [30.0, 26, 34], "privleak": [0.0, 0, 0], "knowmem_r": [86.0, 81, 91]},
}
TRIALS = (  # all intervals reach 2 to either side
    {"verbmem_f": 65.0, "privleak": -100.0, "knowmem_r": 80.0},  # just half the way
    {"verbmem_f": 66.0, "privleak": -99.0, "knowmem_r": 88.0},  # not quite
    {
        "verbmem_f": 31.5,
        "privleak": -60.0,
        "knowmem_r": 40.0,
    },  # 1.5 more than 30, where 2 and 4 to either side allow for 4.5
    {"verbmem_f": 0.0, "privleak": 1.0, "knowmem_r": 90.0, "utility": 39.0},  # below the guard
)


def told(trials=TRIALS, references=REFERENCES):
    ledger = tiny_ledger(references=references)
    for values in trials:
        number, _ = ledger.ask()
        ledger.record(number, candidate(**values))
        ledger.tell(number)
    return outcome(read_candidates(ledger.study, ledger.facts), ledger.facts)


def test_what_goes_and_what_stays_is_told_by_the_reference_models():
    goes, stays = going_and_staying(tiny_ledger(references=REFERENCES).facts)
    assert [o.score for o in goes] == ["verbmem_f", "privleak"]
    assert [o.score for o in stays] == ["knowmem_r"]


def test_each_way_is_counted_with_what_was_kept_on_it():
    verbmem, privleak, everything, price = told()
    assert verbmem == (
        "recites forgotten text (verbmem_f): 100.0 before, 30.0 if retrained, 31.5 at best; half the way or further: "
        "2 of 3, with knowmem_r 80.0 of 88.0 at best; all the way, as far as intervals tell: "
        "1 of 3, with knowmem_r 40.0 of 88.0 at best"
    )
    assert privleak == (
        "shows that it was trained on it (privleak): -100.0 before, 0.0 if retrained, -60.0 at best; "
        "half the way or further: none; all the way, as far as intervals tell: none"
    )
    assert everything.endswith("none is up to the retrained model. Where all of it must hold, ship none")
    assert "with knowmem_r 86.0" in price


@pytest.mark.parametrize(
    ("goal", "interval", "retrained", "reached"),
    [
        ("minimize", (35.0, 31.0, 40.0), (30.0, 28.0, 33.0), True),  # 5 apart: 4 and 3 to the sides that meet
        ("minimize", (35.1, 31.1, 40.0), (30.0, 28.0, 33.0), False),
        ("maximize", (75.0, 60.0, 79.0), (80.0, 77.0, 90.0), True),
        ("maximize", (74.9, 60.0, 78.9), (80.0, 77.0, 90.0), False),
        ("zero", (-5.0, -9.0, -1.0), (0.0, -3.0, 3.0), True),
        ("zero", (-5.1, -9.0, -1.1), (0.0, -3.0, 3.0), False),
        ("zero", (-5.0, -9.0, -1.0), (0.0, 0.0, 0.0), False),
        ("minimize", (20.0, 19.0, 21.0), (30.0, 30.0, 30.0), True),
        ("minimize", (0.14, 0.047, 8.5), (0.0, 0.0, 8.4), True),  # nonwords: one word in hundreds, and none
        ("minimize", (31.0, float("nan"), float("nan")), (30.0, 30.0, 30.0), False),
    ],
)
def test_a_candidate_comes_up_to_the_retrained_model_where_their_difference_may_be_0(
    goal, interval, retrained, reached
):
    columns = {f"{SCORE}{end}": [value] for end, value in zip(ENDS, interval, strict=True)}
    facts = tiny_ledger(references={"retrained": {SCORE: list(retrained)}}).facts
    assert reaches(pd.DataFrame(columns), Objective(score=SCORE, goal=goal), facts)[0] == reached


def test_candidates_that_come_up_to_the_retrained_model_are_said():
    all_good = {"verbmem_f": 29.0, "privleak": 1.0, "knowmem_r": 85.0}
    assert told((*TRIALS, all_good))[-1] == ("all of this at once: 1 of 4 candidates are up to the retrained model")


@pytest.mark.parametrize("references", [{}, {"target": REFERENCES["target"]}])
def test_without_a_retrained_model_nothing_is_said(references):
    assert told(references=references) == []


def test_without_a_candidate_that_meets_the_constraints_none_is_said_to_have_come():
    everything, price = told(TRIALS[-1:])
    assert "none is up to the retrained model" in everything
    assert "the method costs" in price
    assert told(()) == []
