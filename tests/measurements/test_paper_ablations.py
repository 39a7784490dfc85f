"""What was published and what was found here are said to agree, to disagree, or not to be told apart."""

from types import SimpleNamespace

import pandas as pd
import pytest

from lethe.analysis.designs import make_design
from measurements import paper_ablations
from measurements.paper_ablations import SCORES, claims, direction, leaves, published_rows, share_verdict
from search_spaces.mean_teacher import DESIGNS, SWITCHES


def found(mean: float, half: float = 2.0, **effect):
    """An ablation of one arm with one score, and its difference to the baseline."""
    arms = pd.DataFrame(
        [
            {"arm": a, "score": "verbmem_f", "mean": mean, "low": mean - half, "high": mean + half}
            for a in ("baseline", "x")
        ]
    )
    known = {"effect": "x", "score": "verbmem_f", "goal": "minimize", "value": -5.0, "low": -6.0, "high": -4.0, "n": 5}
    effects = pd.DataFrame([known | {"better": True, "sd": 1.0, "sure": True, "needed": 5.0} | effect])
    facts = SimpleNamespace(references={"target": {"verbmem_f": [100.0, 100.0, 100.0]}})
    return SimpleNamespace(arms=lambda: arms, effects=lambda: effects, facts=facts, seeds=[0, 1, 2, 3, 4])


@pytest.mark.parametrize(
    ("mean", "moves", "verdict"),
    [
        (10, True, "agrees"),
        (90, True, "disagrees"),
        (90, False, "agrees"),
        (10, False, "disagrees"),
        (51, True, "cannot tell"),
    ],
)
def test_a_loss_that_leaves_the_start_or_stays(mean, moves, verdict):
    assert leaves(found(mean), "x", "published", moves=moves).verdict == verdict


@pytest.mark.parametrize(
    ("sign", "sure", "verdict"), [(-1, True, "agrees"), (1, True, "disagrees"), (-1, False, "cannot tell")]
)
def test_a_direction_agrees_only_where_it_is_clear_here(sign, sure, verdict):
    assert direction(found(10, sure=sure), "x", "verbmem_f", sign, "published").verdict == verdict


@pytest.mark.parametrize(("mean", "verdict"), [(97, "agrees"), (80, "disagrees"), (90.5, "cannot tell")])
def test_a_share_of_the_target_that_is_kept(mean, verdict):
    assert share_verdict(found(mean), "verbmem_f", 0.9) == verdict


def test_the_arms_that_are_compared_are_in_the_design():
    names = {arm.name for arm in make_design(DESIGNS["paper"], SWITCHES)}
    assert {"baseline", "forget_loss=ll", "forget_loss=npo", "penalty=qkl", "forget_loss=npo, start=warm"} <= names
    assert len(names) == 13


def test_the_published_rows_are_those_of_the_paper():
    rows = {row[0]: row[1:] for row in published_rows()}
    assert rows["MT + NLUL + KL (table)"] == ["14.8", "58.2", "–", "52.7"]
    assert rows["adamw-ll-kl (logs, 3 runs, epoch 3)"][0] == "0.0"
    assert rows["mt-ll-qkl-warm (logs, 1 run, epoch 1)"] == ["0.0", "19.5", "–", "35.7"]
    assert rows["mt-npo-qkl-warm (logs, 1 run, epoch 10)"] == ["0.4", "42.4", "–", "42.8"]
    assert rows["mt-qkl-delta-0.0025 (logs, 1 run, epoch 4)"] == ["12.3", "40.2", "–", "51.6"]


def test_the_page_shows_the_published_side_as_the_script_makes_it():
    page = (paper_ablations.ROOT / "measurements" / "results" / "paper_ablations.md").read_text("utf-8")
    arms = [arm.name for arm in make_design(DESIGNS["paper"], SWITCHES)]
    level = {"mean": 50.0, "low": 49.0, "high": 51.0}
    effect = {"goal": "minimize", "value": -5.0, "low": -6.0, "high": -4.0, "sd": 1.0, "better": True, "sure": True}
    every = SimpleNamespace(
        arms=lambda: pd.DataFrame([{"arm": a, "score": s} | level for a in arms for s in SCORES]),
        effects=lambda: pd.DataFrame([{"effect": a, "score": s} | effect for a in arms for s in SCORES]),
        facts=SimpleNamespace(references={"target": {s: [100.0] for s in SCORES}}),
        seeds=[0],
    )
    assert all(f"| {claim.published} |" in page for claim in claims(every))
    assert all("| " + " | ".join(row) + " |" in page for row in published_rows())
    assert all(words in page for words in (paper_ablations.NOT_PUBLISHED, paper_ablations.ONE_RUN))
