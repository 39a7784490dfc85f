"""Intervals hold their value, are those of the field where it has one, and are never certain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from trainables.scores.intervals import item_weights, mean_interval


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.integers(0, 5))
def test_an_interval_holds_its_value_lies_within_the_range_and_repeats_with_its_seed(values, seed):
    low, high = mean_interval(np.array(values), seed=seed, draws=100)
    assert 0 <= low <= np.mean(values) <= high <= 100
    assert low < high
    assert (low, high) == mean_interval(np.array(values), seed=seed, draws=100)


@pytest.mark.parametrize("right", [0, 1, 7, 20])
def test_of_shares_it_is_clopper_and_pearson_s(right):
    found = mean_interval(np.array([100.0] * right + [0.0] * (20 - right)))
    exact = binomtest(right, 20).proportion_ci(method="exact")
    assert found == pytest.approx((100 * exact.low, 100 * exact.high))


@pytest.mark.parametrize(
    ("right", "n", "by_hand"),
    [
        (0, 40, (0.0, 8.8097)),  # 100 (1 - 0.025^(1/40))
        (40, 40, (91.1903, 100.0)),
        (0, 100, (0.0, 3.6217)),
        (100, 100, (96.3783, 100.0)),  # 100 * 0.025^(1/100)
    ],
)
def test_a_perfect_and_an_empty_score_reach_as_far_as_one_finds_by_hand(right, n, by_hand):
    """None of n seen is unlikely, below 2.5%, as soon as (1 - p)^n is."""
    found = mean_interval(np.array([100.0] * right + [0.0] * (n - right)))
    assert found == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize("right", [0, 1, 7, 20])
def test_items_that_are_nearly_all_0_or_100_are_drawn_to_the_same_ends(right):
    values = np.array([100.0] * right + [0.0] * (20 - right))
    exact, drawn = mean_interval(values), mean_interval(np.clip(values, 1e-9, 100 - 1e-9), draws=40_000)
    assert drawn == pytest.approx(exact, abs=0.5)


def test_one_item_says_next_to_nothing():
    assert mean_interval(np.array([40.0]), draws=40_000) == pytest.approx((1.0, 98.5), abs=0.2)


def test_an_interval_goes_with_the_range_turned_round():
    values = 100 * np.random.default_rng(0).beta(0.5, 3, size=30)
    low, high = mean_interval(values)
    assert mean_interval(100 - values) == pytest.approx((100 - high, 100 - low))


def test_the_half_width_is_that_of_the_normal_theory_and_a_little_more():
    values = 100 * np.random.default_rng(0).random(400)
    low, high = mean_interval(values, draws=5000)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_no_items_and_items_out_of_range_are_refused():
    with pytest.raises(ValueError, match="at least one item"):
        mean_interval(np.array([]))
    for value in (-1.0, 101.0, np.nan):
        with pytest.raises(ValueError, match=r"lie in \[0, 100\]"):
            mean_interval(np.array([50.0, value]))


def test_weights_sum_to_one_and_samples_share_one_unseen_item():
    one, two = item_weights((7,), 0, 4000), item_weights((7, 9), 0, 4000)
    assert [table.shape for table in (*one, *two)] == [(4000, 8), (4000, 8), (4000, 10)]
    assert all(np.allclose(table.sum(axis=1), 1) for table in (*one, *two))
    assert one[0][:, -1].mean() == pytest.approx(1 / 8, rel=0.05)
    assert [t[:, -1].mean() for t in two] == pytest.approx([0.5 / 7.5, 0.5 / 9.5], rel=0.1)
