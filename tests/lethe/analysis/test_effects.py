"""Intervals cover what they promise on simulated data with known effects, and false alarms are as rare as they say.

The simulations are of the kind of ablations: few seeds, many items that every run is scored on, and both matter.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from lethe.analysis import effects
from lethe.analysis.effects import Estimate, Measured, contrast, corrected, estimate, seeds_needed

ITEMS, REDRAWS = 100, 200
SPREADS = {  # spread between seeds, between items, and of an item in one seed
    "seeds": (5.0, 0.0, 0.5),
    "items": (1.0, 30.0, 10.0),
    "both": (5.0, 20.0, 30.0),
    "noise": (0.1, 1.0, 40.0),
}


def simulate(rng, seeds: int, spread: tuple[float, float, float], effect: float) -> np.ndarray:
    """Differences [seeds, items] whose mean over all seeds and items is `effect`."""
    seed, item, own = spread
    return (
        effect + rng.normal(0, seed, (seeds, 1)) + rng.normal(0, item, (1, ITEMS)) + rng.normal(0, own, (seeds, ITEMS))
    )


@cache
def counts(items: int = ITEMS, redraws: int = REDRAWS) -> np.ndarray:
    return effects.redraw_counts(items, seed=0, redraws=redraws)


def redrawn(values: np.ndarray, arm: int = 0) -> np.ndarray:
    """[redraws, seeds] of one arm's values [seeds, items]."""
    n = values.shape[1]
    means = counts(n, effects.RESAMPLES) @ values.T / n
    return effects.with_unseen(means.T, 100 * effects.redraw_coin(arm), n).T


def estimated(differences: np.ndarray) -> Estimate:
    """Of differences whose arms are not known: the redraws are those without an unseen item."""
    return estimate(differences.mean(axis=1), counts() @ differences.T / ITEMS, ITEMS)


def compared(a: np.ndarray, b: np.ndarray) -> Estimate:
    """The difference of two arms [seeds, items], as an ablation has it."""
    return estimate((a - b).mean(axis=1), redrawn(a, 1) - redrawn(b, 2), a.shape[1])


@pytest.mark.parametrize("spread", SPREADS.values(), ids=SPREADS)
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_95_per_cent_interval_covers_a_known_effect_about_95_times_in_100(seeds, spread):
    rng, times = np.random.default_rng(seeds), 600
    found = [estimated(simulate(rng, seeds, spread, effect=3.0)) for _ in range(times)]
    covered = np.mean([e.low <= 3.0 <= e.high for e in found])
    assert covered >= 0.93


def test_a_percentile_bootstrap_over_five_seeds_would_be_too_sure():
    rng, times = np.random.default_rng(0), 300
    covered = 0
    for _ in range(times):
        data = simulate(rng, 5, SPREADS["seeds"], effect=3.0)
        means = [data[rng.integers(5, size=5)][:, rng.integers(ITEMS, size=ITEMS)].mean() for _ in range(REDRAWS)]
        low, high = np.percentile(means, [2.5, 97.5])
        covered += low <= 3.0 <= high
    assert covered / times < 0.88


def test_with_no_effect_at_all_a_family_gives_a_false_alarm_about_5_times_in_100():
    rng, times, arms, scores = np.random.default_rng(1), 300, 7, 4
    alarms = 0
    for _ in range(times):
        p = []
        for _ in range(scores):  # every arm is compared with the same baseline, as in an ablation
            runs = simulate(rng, 5 * (arms + 1), (4.0, 0.0, 10.0), 0.0).reshape(arms + 1, 5, ITEMS)
            runs = runs + rng.normal(0, 20, (1, 1, ITEMS)) + rng.normal(0, 6, (1, 5, 1))
            p += [estimated(arm - runs[0]).p for arm in runs[1:]]
        alarms += min(p) < effects.ALPHA / len(p)  # where Holm's method rejects anything, it rejects the smallest
    assert 0 < alarms / times <= 0.085  # of 300, three standard errors are 3.8


def test_uncorrected_a_family_would_give_many():
    rng, times = np.random.default_rng(2), 200
    alarms = [min(estimated(simulate(rng, 5, SPREADS["seeds"], 0.0)).p for _ in range(20)) < 0.05 for _ in range(times)]
    assert np.mean(alarms) > 0.4


def test_a_large_effect_is_found():
    rng = np.random.default_rng(3)
    found = [estimated(simulate(rng, 5, SPREADS["seeds"], 30.0)) for _ in range(100)]
    assert np.mean([e.p < 0.05 / 30 for e in found]) > 0.9


def shares(rng, seeds, items, p):
    """Every item by itself."""
    return 100.0 * (rng.random((seeds, items)) < p)


def kept(rng, seeds, items, p):
    """The same items in every seed, and nothing else."""
    return 100.0 * np.repeat(rng.random((1, items)) < p, seeds, axis=0)


def rouge(rng, seeds, items, p):
    """ROUGE values, all but a few 0, that stand for a mean of p."""
    return 100 * rng.beta(2, 5, (seeds, items)) * (rng.random((seeds, items)) < p * 3.5)


def moody(rng, seeds, items, p):
    """Seeds that differ by much."""
    chance = np.clip(p * rng.lognormal(-0.25, 0.7, (seeds, 1)), 0, 1)
    return 100.0 * (rng.random((seeds, items)) < chance)


def full(rng, seeds, items, p):
    """Nearly all items at the upper end."""
    return 100 - shares(rng, seeds, items, p)


@pytest.mark.parametrize("kind", [shares, kept, rouge, moody, full])
@pytest.mark.parametrize(("seeds", "items"), [(2, 20), (5, 20), (2, 100)])
@pytest.mark.parametrize("p", [(0.01, 0.01), (0.02, 0.08), (0.2, 0.2)])
def test_differences_of_scores_that_stick_to_an_end_are_held_and_few_alarms_are_false(kind, seeds, items, p):
    rng, times = np.random.default_rng([seeds, items]), 300
    found = [compared(kind(rng, seeds, items, p[0]), kind(rng, seeds, items, p[1])) for _ in range(times)]
    truth = 100 * (p[0] - p[1]) * (-1 if kind is full else 1)
    assert np.mean([e.low <= truth <= e.high for e in found]) >= 0.93
    if truth == 0:
        assert np.mean([e.p < 0.05 for e in found]) <= 0.07


def test_two_equal_differences_are_not_clear():
    one, other = np.zeros((2, 20)), np.zeros((2, 20))
    one[0, 3] = one[1, 7] = 100.0
    found = compared(one, other)
    assert (found.value, found.sd > 0) == (5.0, True)
    assert found.low < 0 < found.high
    assert found.p > 0.2
    known = estimate(np.array([5.0, 5.0]))
    assert np.isnan([known.low, known.high, known.p]).all()
    assert seeds_needed(known, 1) is None


def test_without_items_it_is_the_paired_t_test_of_scipy():
    values = np.array([1.0, 2.5, 4.0, 0.5, 3.0])
    found = estimate(values)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    interval = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_items_widen_the_interval_and_one_seed_has_none():
    data = simulate(np.random.default_rng(0), 5, SPREADS["items"], 0.0)
    plain, both = estimate(data.mean(axis=1)), estimated(data)
    assert both.high - both.low > 2 * (plain.high - plain.low)
    assert np.isnan(estimate(np.array([3.0])).low)


def test_arms_that_are_the_same_in_every_seed_and_item_may_differ_in_others():
    same = compared(np.zeros((5, 20)), np.zeros((5, 20)))
    assert (same.value, same.sd, same.p) == (0, 0, 1)
    assert -same.low == same.high == pytest.approx(7, abs=1)
    unknown = estimate(np.zeros(5))
    assert (unknown.p, np.isnan(unknown.high)) == (1, True)
    with pytest.raises(ValueError, match="at least one seed"):
        estimate(np.array([]))


def test_holm_by_hand_and_what_is_not_known_counts_for_nothing():
    found = corrected(np.array([0.01, np.nan, 0.04, 0.03]))
    assert found == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)


@settings(max_examples=25)
@given(st.floats(0.5, 3.0), st.integers(1, 20))
@example(2.5, 13)  # where scipy knows no lower tail
def test_the_seeds_that_are_needed_are_the_fewest_with_enough_power(ratio, comparisons):
    found = seeds_needed(Estimate(value=ratio, sd=1.0, n=5), comparisons)
    enough, short = (power_of_t(ratio, seeds, 0.05 / comparisons) for seeds in (found, max(2, found - 1)))
    assert enough >= 0.8
    assert found == 2 or short < 0.8


def power_of_t(ratio: float, seeds: int, alpha: float) -> float:
    """By the square of t, which is F with 1 degree of freedom; statsmodels' own t has NaN where a tail is all but empty."""
    bound = stats.f.isf(alpha, 1, seeds - 1)
    return float(stats.ncf.sf(bound, 1, seeds - 1, seeds * ratio**2))


@pytest.mark.parametrize(("ratio", "seeds"), [(0.5, 30), (1.0, 10), (2.0, 5)])
def test_the_power_is_that_of_statsmodels_where_it_knows_one(ratio, seeds):
    assert power_of_t(ratio, seeds, 0.05) == pytest.approx(TTestPower().power(ratio, seeds, 0.05))


def test_no_number_of_seeds_helps_where_the_items_are_too_few():
    assert seeds_needed(Estimate(value=1.0, sd=1.0, n=5, item_variance=1.0), 1) is None
    assert seeds_needed(Estimate(value=0.0, sd=1.0, n=5), 1) is None
    assert seeds_needed(Estimate(value=1.0, n=1), 1) is None


VALUES = pd.DataFrame({0: [10.0, 20.0, 7.0], 1: [12.0, 26.0, np.nan], 2: [11.0, 21.0, np.nan]}, index=["a", "b", "c"])


def test_a_contrast_is_paired_by_seed_and_takes_the_seeds_that_all_its_arms_have():
    found = contrast(Measured(values=VALUES), {"b": 1.0, "a": -1.0})
    assert (found.value, found.n) == (pytest.approx(34 / 3), 3)
    alone = contrast(Measured(values=VALUES), {"c": 1.0, "a": -1.0, "b": 0.0})
    assert (alone.value, alone.n) == (-3.0, 1)
    assert contrast(Measured(values=VALUES), {"d": 1.0}) is None


def test_the_auc_of_redraws_is_that_of_the_items_taken_so_often():
    forget, holdout = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.5])
    whole = effects.redraw_auc(forget, holdout, (np.ones((1, 3)), np.ones((1, 2))))
    assert whole == pytest.approx([(0 + 0.5 + 1 + 1 + 1 + 1) / 6])
    twice = effects.redraw_auc(forget, holdout, (np.array([[0.0, 0.0, 3.0]]), np.array([[2.0, 0.0]])))
    assert twice == pytest.approx([1.0])


def test_an_unseen_item_counts_as_one_item_or_as_half_of_one_in_each_of_two_samples():
    draws, coin = np.array([10.0, 10.0]), np.array([-50.0, 50.0])
    assert effects.with_unseen(draws, coin, 9) == pytest.approx([5, 15])
    assert effects.with_unseen(draws, coin, 9, 4) == pytest.approx([2.5, 17.5])
    assert effects.redraw_coin(3, redraws=10).tolist().count(0.5) == 5
