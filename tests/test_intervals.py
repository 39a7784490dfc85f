"""Bootstrap intervals hold their value, shrink with n, and degenerate without a warning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.muse.intervals import mean_interval, percentile_interval, resample_counts


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.integers(0, 5))
def test_an_interval_lies_within_the_items_and_repeats_with_its_seed(values, seed):
    low, high = mean_interval(np.array(values), seed=seed, resamples=100)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert (low, high) == mean_interval(np.array(values), seed=seed, resamples=100)


@pytest.mark.parametrize("values", [[37.1], [0.0] * 9, [33.3] * 7])
def test_one_item_or_equal_items_give_a_point(values):
    assert mean_interval(np.array(values)) == (values[0], values[0])


def test_the_half_width_is_that_of_the_normal_theory():
    values = np.random.default_rng(0).normal(50, 20, size=100)
    low, high = mean_interval(values, resamples=5000)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 10, rel=0.1)


def test_no_items_are_refused():
    with pytest.raises(ValueError, match="at least one item"):
        mean_interval(np.array([]))


def test_percentiles_of_nothing_are_the_value():
    assert percentile_interval(np.array([]), 3.0) == (3.0, 3.0)
    assert percentile_interval(np.arange(101.0), 50.0) == pytest.approx((2.5, 97.5))


def test_resample_counts_draw_n_of_n_items():
    counts = resample_counts(7, rng=np.random.default_rng(0), resamples=50)
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()
