"""A space is plain data; what makes no sense as a range is named."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from lethe.search.space import distributions, join, part

SPACES = {"one": {"lr": ("log_uniform", 0.1, 0.2)}, "two": {"lr": ("uniform", 0.0, 1.0), "steps": ("integer", 1, 2)}}


@pytest.mark.parametrize(
    ("entry", "distribution"),
    [
        (("log_uniform", 0.01, 0.5), FloatDistribution(0.01, 0.5, log=True)),
        (("uniform", -1.0, 1.0), FloatDistribution(-1.0, 1.0)),
        (("integer", 2, 9), IntDistribution(2, 9)),
        (("choice", ("kl", "none")), CategoricalDistribution(("kl", "none"))),
        (("log_uniform", 0.1, 0.1), FloatDistribution(0.1, 0.1, log=True)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_kind_is_one_of_optuna_s_distributions(entry, distribution):
    assert distributions({"x": entry}) == {"x": distribution}


def test_parameters_keep_their_order():
    space = dict.fromkeys(("lr", "alpha", "delta"), ("uniform", 0.0, 1.0))
    assert list(distributions(space)) == ["lr", "alpha", "delta"]


def test_an_empty_space_is_refused():
    with pytest.raises(ValueError, match="name at least one parameter"):
        distributions({})


def test_an_unknown_kind_is_named_with_the_choices():
    with pytest.raises(ValueError, match=r"kind 'normal' of parameter 'lr' is unknown: choose log_uniform, uniform"):
        distributions({"lr": ("normal", 0, 1)})


@given(low=st.floats(0.001, 10), gap=st.floats(0.001, 10), kind=st.sampled_from(["log_uniform", "uniform"]))
def test_a_low_end_above_the_high_end_is_refused_and_the_other_way_round_is_not(low, gap, kind):
    assert distributions({"x": (kind, low, low + gap)})
    with pytest.raises(ValueError, match="range of 'x' is .* the low end must not be above the high end"):
        distributions({"x": (kind, low + gap, low)})


@pytest.mark.parametrize("low", [0, 0.0, -0.5])
def test_a_log_range_starts_above_zero(low):
    with pytest.raises(ValueError, match=rf"range of 'x' starts at {low}: a log-uniform range must start above 0"):
        distributions({"x": ("log_uniform", low, 1.0)})
    assert distributions({"x": ("uniform", low, 1.0)})


@pytest.mark.parametrize("end", [math.nan, math.inf, -math.inf])
def test_both_ends_are_finite(end):
    for bounds in ((end, 1.0), (0.1, end)):
        with pytest.raises(ValueError, match="both ends must be finite numbers"):
            distributions({"x": ("uniform", *bounds)})


def test_the_first_range_that_makes_no_sense_is_the_one_that_is_named():
    with pytest.raises(ValueError, match="'b'"):
        distributions({"a": ("uniform", 0, 1), "b": ("uniform", 1, 0), "c": ("uniform", 1, 0)})


def test_the_spaces_of_several_methods_are_one_that_names_the_method_first():
    joined = join(SPACES)
    assert list(joined) == ["method", "one.lr", "two.lr", "two.steps"]
    assert joined["method"] == ("choice", ("one", "two"))
    assert {method: part(joined, method) for method in SPACES} == SPACES


def test_the_space_of_one_method_is_left_as_it_is():
    assert join({"two": SPACES["two"]}) == part(SPACES["two"], "two") == SPACES["two"]
