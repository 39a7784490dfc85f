"""The intervals of scores hold the truth 93 times in 100 or more, also where scores are empty, perfect or nearly so."""

import pytest

from measurements.coverage import ITEMS, LEAKS, leak_coverage, mean_coverage, ours, plain_leak, plain_mean
from trainables.scores.intervals import mean_interval

TIMES = 400  # with fixed seeds; of a true 95%, 93% is two standard errors away


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize("items", ITEMS, ids=lambda items: items.name)
def test_intervals_of_means_hold(items, n):
    assert mean_coverage(items, n, TIMES, mean_interval).share >= 0.93


@pytest.mark.parametrize("leak", LEAKS, ids=str)
def test_intervals_of_privleak_hold_with_few_items(leak):
    assert leak_coverage(leak, (20, 20), TIMES, ours).share >= 0.93


@pytest.mark.parametrize("leak", [LEAKS[i] for i in (0, 2, 6, 9)], ids=str)
def test_intervals_of_privleak_hold_with_many_items(leak):
    assert leak_coverage(leak, (100, 100), TIMES // 2, ours).share >= 0.93


def test_a_plain_bootstrap_would_take_an_empty_score_and_a_full_leak_for_certain():
    shares = mean_coverage(ITEMS[0], 20, TIMES, plain_mean), leak_coverage(LEAKS[0], (20, 20), TIMES, plain_leak)
    assert max(found.share for found in shares) < 0.5


@pytest.mark.parametrize(("n", "at_most"), [(20, 1.3), (100, 1.1)])
def test_where_a_bootstrap_holds_the_intervals_are_little_wider(n, at_most):
    (half,) = [items for items in ITEMS if items.name == "0 or 100, 50% are 100"]
    plain, found = (mean_coverage(half, n, 100, interval) for interval in (plain_mean, mean_interval))
    assert plain.width < found.width < at_most * plain.width
