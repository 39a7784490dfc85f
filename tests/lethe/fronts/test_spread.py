"""A few points stand for many: the first, and each next the furthest from those before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lethe.fronts.spread import spread

LINE = np.array([[0.0, 10.0], [1.0, 9.0], [5.0, 5.0], [10.0, 0.0], [9.0, 1.0]])


@pytest.mark.parametrize(("count", "taken"), [(1, [0]), (2, [0, 3]), (3, [0, 3, 2]), (5, [0, 3, 2, 1, 4])])
def test_the_next_is_the_furthest_from_those_before(count, taken):
    assert spread(LINE, count) == taken


def test_objectives_count_alike_whatever_their_ranges():
    assert spread(LINE * [1.0, 1000.0], 3) == spread(LINE, 3)


def test_the_same_point_twice_is_taken_once_and_none_of_none():
    assert spread(np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 1.0]]), 3) == [0, 2]
    assert spread(np.zeros((0, 2)), 3) == []


@given(arrays(float, (7, 2), elements=st.integers(0, 20).map(float)), st.integers(1, 7))
def test_it_is_the_slow_rule(losses, count):
    spans = np.ptp(losses, axis=0)
    scaled = losses / np.where(spans > 0, spans, 1.0)
    taken = [0]
    while len(taken) < count:
        gaps = [min(float(np.linalg.norm(point - scaled[i])) for i in taken) for point in scaled]
        if max(gaps) == 0:
            break
        taken.append(gaps.index(max(gaps)))
    assert spread(losses, count) == taken
