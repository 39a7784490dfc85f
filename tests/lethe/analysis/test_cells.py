"""A number and a score with its interval are written in one way, and never promise more than the interval does."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.analysis.cells import number, with_interval

CELLS = {
    (15.1, 11.4, 18.6): "15.1 ±3.7",
    (3.0, 0.4, 18.0): "3.0 ±15.0",
    (0.0, 0.0, 16.8): "0.0 +16.8",
    (100.0, 83.2, 100.0): "100.0 −16.8",
    (-100.0, -100.0, -67.7): "−100.0 +32.3",
    (0.0, 0.0, 0.0): "0.0 ±0.0",
    (4.0, math.nan, math.nan): "4.0",
    (math.nan, math.nan, math.nan): "–",
}


@pytest.mark.parametrize(("interval", "text"), CELLS.items())
def test_a_score_is_followed_by_how_far_its_interval_reaches(interval, text):
    assert with_interval(*interval) == text


def test_the_ends_may_be_rounded_more_than_the_value():
    assert with_interval(0.0, 0.0, 16.8, ends=0) == "0.0 +17"


@given(st.tuples(*[st.integers(-1000, 1000)] * 3).map(sorted))
def test_what_is_written_holds_the_interval(ends):
    low, value, high = (end / 10 for end in ends)
    written, sign, reach = re.fullmatch(r"(\S+) ([±+−])(\S+)", with_interval(value, low, high)).groups()
    assert float(written.replace("−", "-")) == value
    assert low >= value - (0 if sign == "+" else float(reach)) - 1e-9
    assert high <= value + (0 if sign == "−" else float(reach)) + 1e-9


def test_a_number_has_no_negative_zero_and_what_is_none_is_a_dash():
    assert [number(v) for v in (-0.04, -1.25, 2, None, math.inf, "x")] == ["0.0", "−1.2", "2.0", "–", "–", "–"]
