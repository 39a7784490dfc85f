"""What two papers say of the forget data is said to agree, to disagree or not to be told from what was found here."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lethe.analysis.ablation import Ablation
from lethe.analysis.designs import make_design
from lethe.analysis.effects import Measured
from measurements.data_ablations import (
    METHODS,
    SAMPLING,
    SELECTION,
    SHARE,
    SHOWN,
    SWITCHES,
    all_alike,
    as_well,
    claims,
    difference,
    flags,
    steadier,
    taken,
)
from search_spaces import methods

TARGET = 100.0


def found(**arms: list[float]) -> Ablation:
    """An ablation whose arms have these scores over seeds, of whatever score."""
    values = pd.DataFrame(arms).T
    means = pd.DataFrame([{"arm": arm, "score": s, "mean": np.mean(v)} for arm, v in arms.items() for s in SHOWN])
    return SimpleNamespace(
        measured=lambda score: Measured(values=values),
        arms=lambda: means,
        facts=SimpleNamespace(references={"target": {s: [TARGET] for s in SHOWN}}, about={}),
        design=[SimpleNamespace(name=arm) for arm in arms],
    )


@pytest.mark.parametrize(
    ("part", "verdict"),
    [([22, 21, 23], "agrees"), ([60, 61, 62], "disagrees"), ([20, 30, 40], "cannot tell"), ([5, 6, 7], "agrees")],
)
def test_a_share_does_as_well_that_takes_away_nine_tenths_of_what_all_does(part, verdict):
    ablation = found(baseline=[20, 20, 20], part=part)  # 80 are taken away, so 8 more may be left
    assert as_well(ablation, "part", "verbmem_f", "published").verdict == verdict


def test_what_a_share_takes_is_told_in_percent_of_what_all_does():
    ablation = found(baseline=[20, 20], **{"forget_set=5%": [60, 70], "forget_set=50%": [28, 28]})
    assert taken(lambda method, kind: ablation)[:2] == [
        ["npo_gdr", "5%", "44%", "44%"],
        ["npo_gdr", "50%", "90%", "90%"],
    ]


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [([52, 51, 53], "agrees"), ([70, 71, 72], "disagrees"), ([30, 31, 32], "disagrees"), ([40, 50, 60], "cannot tell")],
)
def test_rules_are_alike_where_none_differs_by_a_tenth_to_either_side(rule, verdict):
    ablation = found(baseline=[50, 50, 50], one=[51, 52, 50], rule=rule)
    assert all_alike(ablation, "verbmem_f", "published").verdict == verdict


@pytest.mark.parametrize(
    ("arm", "verdict"), [([9, 10, 11], "agrees"), ([1, 2, 3], "disagrees"), ([2, 5, 9], "cannot tell")]
)
def test_a_published_direction_is_looked_for_where_the_interval_leaves_0_out(arm, verdict):
    ablation = found(baseline=[0, 0, 0], arm=arm, other=[5, 6, 5.5])
    assert difference(ablation, "arm", "other", "knowmem_r", 1, "published").verdict == verdict


@pytest.mark.parametrize(
    ("arm", "verdict"),
    [([10.0, 10.1, 10.2, 10.1], "agrees"), ([0, 90, 10, 70], "disagrees"), ([10, 12, 14, 11], "cannot tell")],
)
def test_what_is_steadier_has_less_variance_by_f(arm, verdict):
    ablation = found(baseline=[0] * 4, arm=arm, other=[10, 14, 12, 9])
    assert steadier(ablation, "arm", "other", "knowmem_r", "published").verdict == verdict


@pytest.mark.parametrize("method", METHODS)
def test_what_is_claimed_is_about_arms_that_the_commands_make(method):
    made = {}
    for kind, switch in SWITCHES.items():
        assert switch in flags(method, kind)
        switches = {switch: methods.switches_of(method)[methods.SMALL][switch]}
        arms = [arm.name for arm in make_design(({"kind": "one at a time", "switches": {switch: ("*",)}},), switches)]
        made[kind] = found(**{arm: [float(i), i + 1.0] for i, arm in enumerate(arms)})
    assert {SHARE, SELECTION, SAMPLING} == set(made)
    assert len(list(claims(method, lambda own, kind: made[kind]))) == 9
