"""Items whose mean is a number that is no mean: by hand, and with the spread that theory gives."""

import numpy as np
import pytest

from trainables.probes.resampling import auc_items, interval_of, items_of


def test_the_items_of_a_mean_are_its_own():
    values = np.array([1.0, 4.0, 7.0, 8.0])
    assert items_of(lambda kept: float(values[kept].mean()), 4) == pytest.approx(values)


def test_the_mean_of_the_items_is_the_statistic():
    draw = np.random.default_rng(0).normal(size=30)
    found = items_of(lambda kept: float(draw[kept].std()), 30)
    assert found.mean() == pytest.approx(draw.std())
    assert found.std(ddof=1) / np.sqrt(30) == pytest.approx(draw.std() / np.sqrt(60), rel=0.4)  # of a normal law


def test_an_auc_is_that_of_sklearn_and_by_hand():
    from sklearn.metrics import roc_auc_score

    assert auc_items(np.array([3.0, 1.0]), np.array([2.0, 0.0])).mean() == pytest.approx(75)
    assert auc_items(np.array([1.0]), np.array([1.0])).mean() == 50
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.5, 1, 20), rng.normal(0, 1, 35)
    labels = [1] * 20 + [0] * 35
    own = roc_auc_score(labels, np.concatenate([first, second]))
    assert auc_items(first, second).mean() == pytest.approx(100 * own)


def test_the_interval_of_equal_items_has_no_width_and_holds_the_mean():
    assert interval_of(np.full(5, 70.0)) == pytest.approx((70.0, 70.0))
    low, high = interval_of(np.arange(50.0))
    assert low < 24.5 < high
    assert high - low == pytest.approx(2 * 1.96 * 14.4 / np.sqrt(50), rel=0.15)
