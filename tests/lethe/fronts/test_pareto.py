"""Fronts, volumes and representatives beside slow references that are plainly right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lethe.fronts import pareto

# Whole numbers on a small grid: ties and equal points are common.
grid = st.integers(1, 4).flatmap(
    lambda k: arrays(float, st.tuples(st.integers(1, 12), st.just(k)), elements=st.integers(0, 5))
)
pairs = arrays(float, st.tuples(st.integers(0, 8), st.just(2)), elements=st.integers(-20, 130))


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))


@given(losses=grid)
def test_a_point_is_on_the_front_exactly_where_no_other_dominates_it(losses):
    slow = [not any(dominates(other, point) for other in losses) for point in losses]
    assert pareto.nondominated(losses).tolist() == slow


def test_of_equal_points_all_are_kept():
    assert pareto.nondominated(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0]])).tolist() == [True, True, False]


@given(losses=grid, seed=st.integers(0, 99))
def test_the_order_of_the_points_does_not_matter(losses, seed):
    order = np.random.default_rng(seed).permutation(len(losses))
    assert pareto.nondominated(losses[order]).tolist() == pareto.nondominated(losses)[order].tolist()


@given(losses=grid, seed=st.integers(0, 99))
def test_an_infeasible_point_is_never_on_the_front_and_shades_no_other(losses, seed):
    feasible = np.random.default_rng(seed).random(len(losses)) < 0.6
    mask = pareto.front(losses, feasible)
    assert not mask[~feasible].any()
    assert mask[feasible].tolist() == pareto.nondominated(losses[feasible]).tolist()


def test_no_points_have_an_empty_front_and_no_volume():
    assert pareto.nondominated(np.zeros((0, 3))).tolist() == []
    assert pareto.hypervolume(np.zeros((0, 3))) == 0.0


def staircase(losses):
    """The area that points dominate within [0, 100]^2, summed column by column of whole numbers."""
    inside = [(max(x, 0), max(y, 0)) for x, y in losses if x < 100 and y < 100]
    columns = ([100 - y for x, y in inside if x <= left] for left in range(100))
    return sum(max(heights, default=0) for heights in columns) / 100**2


@given(losses=pairs)
def test_the_hypervolume_of_two_objectives_is_the_area_under_the_staircase(losses):
    assert pareto.hypervolume(losses) == pytest.approx(staircase(losses.tolist()))


def test_the_hypervolume_by_hand():
    a, b = np.array([[50.0, 50.0]]), np.array([[20.0, 80.0]])
    assert pareto.hypervolume(a) == pytest.approx(0.25)
    assert pareto.hypervolume(b) == pytest.approx(0.16)
    both = pareto.hypervolume(np.vstack([a, b]))
    assert both == pytest.approx(0.25 + 0.16 - 0.5 * 0.2)  # inclusion and exclusion
    assert pareto.hypervolume(np.array([[10.0, 50.0, 0.0, 20.0]])) == pytest.approx(0.9 * 0.5 * 1.0 * 0.8)


@given(losses=grid)
def test_the_hypervolume_is_that_of_the_front_alone_and_never_falls_with_a_point_more(losses):
    losses = 25 * losses
    whole = pareto.hypervolume(losses)
    assert whole == pytest.approx(pareto.hypervolume(losses[pareto.nondominated(losses)]))
    assert whole >= pareto.hypervolume(losses[:-1]) - 1e-12
    assert 0 <= whole <= 1


def test_points_outside_the_box_add_nothing_and_better_than_best_counts_as_best():
    inside = np.array([[50.0, 50.0]])
    assert pareto.hypervolume(np.vstack([inside, [[0.0, 100.0]], [[120.0, 0.0]]])) == pytest.approx(0.25)
    assert pareto.hypervolume(np.array([[-10.0, 50.0]])) == pytest.approx(0.5)


def test_the_feasible_point_with_the_smallest_worst_loss_speaks_for_its_trial():
    losses = np.array([[0.0, 90.0], [60.0, 40.0], [10.0, 10.0]])
    assert pareto.representative(losses, np.array([-1.0, 0.0, 3.0])) == 1
    assert pareto.representative(losses, np.zeros(3)) == 2


def test_a_tie_of_worst_losses_goes_to_the_smaller_sum():
    assert pareto.representative(np.array([[60.0, 50.0], [60.0, 20.0], [20.0, 60.0]]), np.zeros(3)) == 1


def test_where_none_is_feasible_the_smallest_violation_speaks():
    assert pareto.representative(np.array([[0.0, 0.0], [90.0, 90.0]]), np.array([5.0, 2.0])) == 1


@given(losses=grid, seed=st.integers(0, 99))
def test_the_representative_is_feasible_where_it_can_be_and_none_feasible_dominates_it(losses, seed):
    violation = np.random.default_rng(seed).integers(-2, 3, len(losses)).astype(float)
    chosen = pareto.representative(losses, violation)
    feasible = violation <= 0
    assert feasible[chosen] == feasible.any()
    assert feasible.any() or violation[chosen] == violation.min()
    assert not feasible.any() or pareto.front(losses, feasible)[chosen]
