"""Many entrants and few seeds: false alarms in whole families, power, and volumes that are equal or 0."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from lethe.analysis.pairs import levels, pairs, spread, studentized

bound_of = cache(studentized)

FAMILIES = 1500  # simulated arenas of 20 equal entrants
MOST = 0.06 + 2.6 * np.sqrt(0.06 * 0.94 / FAMILIES)  # of 6 in 100; 8,000 families gave 6.0 in the worst case below


def alarms(noise, seeds):
    """In which share of arenas any two of 20 equal entrants are told apart; `noise` makes [entrants, seeds]."""
    rng = np.random.default_rng(seeds)
    return np.mean([any_apart(noise(rng, seeds)) for _ in range(FAMILIES)])


def any_apart(values):
    """Whether the farthest two are told apart: as `pairs` does it, for all arenas in little time."""
    means, n = values.mean(axis=1), values.shape[1]
    known = spread(values)
    own = np.maximum(known.variance[:, None] + known.variance, 2 * known.pooled) / n
    bound = bound_of(len(values), round(known.freedom, 1)) if np.isfinite(known.freedom) else np.inf
    return bool((np.abs(means[:, None] - means) > bound * np.sqrt(own)).any())


SPREADS = {
    "alike": np.ones(20),
    "half of them three times as much": np.where(np.arange(20) % 2, 3.0, 1.0),
    "one to ten times as much": np.geomspace(1, 10, 20),
    "half of them not at all": np.where(np.arange(20) % 2, 1.0, 0.0),
}


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("name", SPREADS)
def test_equal_entrants_are_told_apart_in_no_more_than_about_6_of_100_arenas(name, seeds):
    sd = SPREADS[name][:, None]
    assert alarms(lambda rng, n: rng.normal(0, sd, (20, n)), seeds) <= (0.05 if name == "alike" else MOST)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_so_are_volumes_that_are_skewed_or_mostly_0(seeds):
    assert alarms(lambda rng, n: np.maximum(rng.normal(0, 1, (20, n)), 0), seeds) <= 0.05
    assert alarms(lambda rng, n: (rng.random((20, n)) < 0.3) * 1.0, seeds) <= 0.05


def test_the_simulation_decides_as_the_table_does():
    rng = np.random.default_rng(1)
    for scale in (0.0, 3.0):
        for _ in range(5):
            values = rng.normal(scale * np.arange(6)[:, None], rng.uniform(0.1, 3, (6, 1)), (6, 3))
            assert pairs(pd.DataFrame(values))["sure"].any() == any_apart(values)


def test_differences_of_six_times_the_spread_between_seeds_are_found_by_three_of_them():
    rng = np.random.default_rng(0)
    level = np.where(np.arange(20) < 3, 6.0, 0.0)[:, None]
    found = [pairs(pd.DataFrame(level + rng.normal(0, 1, (20, 3)))) for _ in range(20)]
    right = [table[(table["entrant"] < 3) & (table["other"] >= 3)]["sure"].mean() for table in found]
    wrong = [table[(table["entrant"] < 3) == (table["other"] < 3)]["sure"].any() for table in found]
    assert np.mean(right) > 0.8
    assert np.mean(wrong) <= 0.1


def test_alike_entrants_with_the_same_seeds_have_tukeys_interval():
    values = pd.DataFrame([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [5.0, 6.0, 7.0]], index=["a", "b", "c"])
    row = pairs(values).iloc[1]
    half = 4.339 * np.sqrt(1 / 3)  # tables: q(0.05; 3 means, 6 degrees of freedom) = 4.339; variance 1, three seeds
    assert (row["entrant"], row["other"], row["difference"]) == ("c", "a", 4.0)
    assert (row["low"], row["high"]) == pytest.approx((4 - half, 4 + half), abs=0.005)
    assert levels(values)["low"].tolist() == pytest.approx(np.array([2, 3, 6]) - 2.4469 * np.sqrt(1 / 3), abs=0.001)


def test_an_entrant_whose_seeds_are_the_very_same_makes_nobody_surer():
    noisy = np.random.default_rng(0).normal(0, 1, (4, 3))
    without = spread(noisy)
    with_zeros = spread(np.vstack([noisy, np.zeros((10, 3))]))
    assert (with_zeros.pooled, with_zeros.freedom) == (without.pooled, without.freedom)


def test_where_all_seeds_are_the_very_same_or_there_is_one_nothing_is_sure():
    for values in ([[0.1, 0.1], [0.3, 0.3]], [[0.1], [0.3]]):
        found = pairs(pd.DataFrame(values))
        assert found["difference"].tolist() == pytest.approx([0.2])
        assert np.isnan(found["low"]).all()
        assert not found["sure"].any()


def test_an_entrant_without_a_seed_takes_part_with_those_it_has_and_one_without_any_in_nothing():
    values = pd.DataFrame([[1.0, 2.0, 3.0], [2.0, np.nan, 4.0], [np.nan] * 3], index=["a", "b", "c"])
    assert pairs(values)[["entrant", "other", "difference"]].to_numpy().tolist() == [["b", "a", 1.0]]
    assert levels(values)["n"].tolist() == [3, 2, 0]


def test_the_seeds_that_would_tell_grow_as_the_difference_shrinks():
    rng = np.random.default_rng(0)
    found = pairs(pd.DataFrame(rng.normal(np.arange(5)[:, None], 1, (5, 3)))).sort_values("difference")
    needed = found["needed"].fillna(99).to_numpy()
    assert (np.diff(needed) <= 0).all()
    assert needed.min() >= 2
