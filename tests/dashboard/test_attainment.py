"""The band that a front attains over seeds, and that nothing is drawn where no recipe was run again."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.charts import attainment
from lethe.fronts import pareto
from lethe.store.cards import Card

CARDS = {
    name: Card(name=name, goal=goal, meaning="") for name, goal in (("f", "minimize"), ("r", "maximize"), ("p", "zero"))
}
TWO_SEEDS = pd.DataFrame({"set": [0, 0, 1], "f": [10.0, 30.0, 20.0], "r": [70.0, 90.0, 80.0], "p": 0.0})


@pytest.mark.parametrize(
    ("share", "surface"), [(0.0, [[10, 30], [20, 20], [30, 10]]), (1.0, [[20, 30], [30, 20]])], ids=["any", "all"]
)
def test_a_surface_is_what_a_share_of_the_seeds_attains(share, surface):
    losses = np.array([[10, 30], [30, 10], [20, 20]])
    assert pareto.attainment(losses, np.array([0, 0, 1]), share).tolist() == surface


points = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@settings(max_examples=40)
@given(points)
def test_a_place_is_attained_by_as_many_seeds_as_have_a_point_at_least_as_good(found):
    sets, losses = np.array([p[0] for p in found]), np.array([p[1:] for p in found], float)
    seeds = sorted(set(sets.tolist()))
    for share in (0.0, 0.5, 1.0):
        surface = pareto.attainment(losses, sets, share)
        for place in np.ndindex(5, 5):
            by = sum(bool((losses[sets == seed] <= place).all(axis=1).any()) for seed in seeds)
            assert bool((surface <= place).all(axis=1).any()) == (by >= max(share * len(seeds), 1))


def test_the_band_lies_between_what_some_seeds_attain_and_what_all_do_in_the_scores_own_direction():
    around, median = attainment.band(TWO_SEEDS, "f", "r", CARDS)
    drawn = list(zip(around["x"].tolist(), around["y"].tolist(), strict=True))
    best = [(10, 70), (10, 70), (20, 70), (20, 80), (30, 80), (30, 90), (30, 90)]
    worst = [(20, 70), (20, 70), (30, 70), (30, 80), (30, 80)]
    assert drawn == best + worst[::-1]
    assert set(zip(median["x"].tolist(), median["y"].tolist(), strict=True)) <= set(best) | set(worst)


@pytest.mark.parametrize(("runs", "x", "y"), [(pd.DataFrame(), "f", "r"), (TWO_SEEDS, "f", "p"), (TWO_SEEDS, "f", "f")])
def test_nothing_is_drawn_without_repeats_nor_where_0_is_best(runs, x, y):
    assert attainment.band(runs, x, y, CARDS) == []
