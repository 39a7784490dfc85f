"""What was published and what was found here are said to agree, to disagree, or not to be told apart."""

from types import SimpleNamespace

import pandas as pd
import pytest

from benchmarks.paper_ablations import direction, leaves, published_rows, share_verdict
from lethe.designs import make_design
from search_spaces.ablations import DESIGNS, SWITCHES


def found(mean: float, half: float = 2.0, **effect):
    """An ablation of one arm with one score, and its difference to the baseline."""
    arms = pd.DataFrame(
        [
            {"arm": a, "score": "verbmem_f", "mean": mean, "low": mean - half, "high": mean + half}
            for a in ("baseline", "x")
        ]
    )
    known = {"effect": "x", "score": "verbmem_f", "goal": "minimize", "value": -5.0, "low": -6.0, "high": -4.0, "n": 5}
    effects = pd.DataFrame([known | {"better": True, "sure": True, "needed": 5.0} | effect])
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
    assert rows["adamw-ll-kl (logs, 3 runs, last epoch)"][0] == "0.0"
