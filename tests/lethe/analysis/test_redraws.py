"""Items of a score that is read against the retrained model's, one by one, are drawn anew in pairs."""

import numpy as np
import pandas as pd
import pytest

from lethe.analysis.redraws import half_of, redrawer, value_of
from lethe.store.cards import DIFFERENCE, Card

GAP = Card(name="likely_gap", goal="zero", reduction=DIFFERENCE, items_of="likely")


def items(values, **columns):
    values = np.asarray(values, float)
    return pd.DataFrame({"score": "likely", "item": range(len(values)), "truth": "t", "value": values, **columns})


def test_a_mean_of_differences_is_drawn_anew_by_pairs_of_the_items_of_its_score():
    hard = np.linspace(0, 90, 50)
    assert value_of(GAP, items(hard + 5), items(hard)) == pytest.approx(5)
    value, draws, n = redrawer(GAP, items(hard))(items(hard + 5), "a run")
    assert (value, n) == (pytest.approx(5), 50)
    # All pairs differ by 5: what moves the redraws is the unseen item alone, whose difference is -100 or 100.
    assert sorted(set(np.round(draws, 6))) == pytest.approx([5 - 100 / 51, 5 + 100 / 51])


def test_pairs_are_those_of_the_same_half():
    reports = [False, True, False, True]
    own, known = items([10, 20, 30, 40], reports=reports), items([10, 0, 30, 0], reports=reports)
    halves = [value_of(GAP, *(half_of(table, chosen=chosen) for table in (own, known))) for chosen in (True, False)]
    assert halves == [0, 30]


@pytest.mark.parametrize("known", [None, items([1, 2, 3])])
def test_without_the_retrained_model_s_items_or_with_others_there_is_none(known):
    assert redrawer(GAP, known)(items([1, 2]), "a run") is None
