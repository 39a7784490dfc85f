"""Every goal becomes a loss, 0 at its best and 100 at its worst, in one place."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lethe
from lethe.fronts.objectives import GOALS, Constraint, Objective, describe, finite_score, losses, violations

percent = st.floats(0, 100)


@pytest.mark.parametrize(
    ("goal", "score", "loss"),
    [
        ("minimize", 30.0, 30.0),
        ("maximize", 30.0, 70.0),
        ("maximize", 100.0, 0.0),
        ("zero", -40.0, 40.0),
        ("zero", 40.0, 40.0),
        ("zero", 0.0, 0.0),
    ],
)
def test_a_loss_by_hand(goal, score, loss):
    assert Objective(score="x", goal=goal).loss(score) == loss


@pytest.mark.parametrize(
    ("goal", "interval", "loss"),
    [
        ("minimize", (30.0, 26.0, 34.0), 26.0),
        ("maximize", (30.0, 26.0, 34.0), 66.0),
        ("zero", (-40.0, -50.0, -30.0), 30.0),
        ("zero", (-40.0, -50.0, 1.0), 0.0),
        ("zero", (-40.0, math.nan, math.nan), 40.0),
    ],
)
def test_the_best_loss_within_an_interval_by_hand(goal, interval, loss):
    assert Objective(score="x", goal=goal).best_loss(*interval) == loss


@given(value=st.floats(-200, 200))
def test_privleak_is_two_sided(value):
    objective = Objective(score="privleak", goal="zero")
    assert objective.loss(value) == objective.loss(-value) >= 0


@given(a=percent, b=percent, goal=st.sampled_from(["minimize", "maximize"]))
def test_a_better_score_never_has_a_larger_loss(a, b, goal):
    low, high = sorted((a, b))
    better, worse = (low, high) if goal == "minimize" else (high, low)
    objective = Objective(score="x", goal=goal)
    assert 0 <= objective.loss(better) <= objective.loss(worse) <= 100


def test_directions_are_turned_in_one_file_of_the_engine():
    folder = Path(lethe.__file__).parent
    names = {
        file.name
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in ("maximize", "zero")
    }
    assert names == {"objectives.py"}


def test_an_unknown_goal_is_named_with_the_choices():
    with pytest.raises(ValueError, match=r"goal 'up' of objective 'verbmem_f' is unknown: choose minimize, maximize"):
        Objective(score="verbmem_f", goal="up")


def test_losses_come_in_the_order_of_the_objectives():
    objectives = [Objective(score=name, goal=goal) for name, goal in zip("abc", GOALS, strict=True)]
    scores = {"c": [-3.0, -4, -2], "b": [20.0, 0, 0], "a": [1.0, 0, 2], "other": [7.0, 7, 7]}
    assert losses(objectives, scores) == [1.0, 80.0, 3.0]


@given(floor=percent, value=percent)
def test_a_point_is_feasible_exactly_where_its_score_reaches_the_floor(floor, value):
    violation = violations([Constraint(score="utility", floor=floor)], {"utility": [value, 0, 0]})["utility"]
    assert (violation <= 0) == (value >= floor)
    assert violation == floor - value


@given(bound=percent, value=st.floats(-150, 150), goal=st.sampled_from(GOALS))
def test_a_bound_is_the_least_the_most_or_the_distance_from_0_by_the_goal_of_its_score(bound, value, goal):
    constraint = Constraint.of("x", goal, bound)
    held = {"maximize": value >= bound, "minimize": value <= bound, "zero": abs(value) <= bound}[goal]
    assert (constraint.violation(value) <= 0) == constraint.holds(np.array([value]))[0] == held
    assert constraint.goal == goal


@pytest.mark.parametrize(
    ("constraint", "sign", "words"),
    [
        (Constraint(score="x", floor=80), "≥ 80", "at 80.0 or above"),
        (Constraint(score="x", ceiling=0.5), "≤ 0.5", "at 0.5 or below"),
        (Constraint.of("x", "zero", 10), "±10", "from -10.0 to 10.0"),
    ],
)
def test_a_constraint_says_its_bounds(constraint, sign, words):
    assert (constraint.sign, constraint.words) == (sign, words)


def test_what_was_not_measured_is_not_feasible():
    assert Constraint(score="x", floor=1, ceiling=2).holds(np.array([math.nan, 1, 3])).tolist() == [False, True, False]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("check", [losses, violations])
def test_a_score_that_is_not_finite_is_named(check, value):
    asked = [Objective(score="a", goal="zero")] if check is losses else [Constraint(score="a", floor=1)]
    with pytest.raises(ValueError, match=rf"score 'a' is {value}"):
        check(asked, {"a": [value, 0, 1]})


def test_a_score_that_is_missing_is_named_with_those_that_are_there():
    with pytest.raises(ValueError, match=r"score 'a' is missing \(there: b, c\)"):
        finite_score({"b": [1, 0, 2], "c": [1, 0, 2]}, "a")
    with pytest.raises(ValueError, match=r"there: none"):
        finite_score({}, "a")


def test_an_interval_that_is_not_finite_does_not_spoil_its_score():
    assert finite_score({"a": [4, math.nan, math.nan]}, "a") == 4.0


def test_objectives_in_words():
    objectives = [Objective(score=name, goal=goal) for name, goal in zip("abc", GOALS, strict=True)]
    assert describe(objectives) == "a low, b high, c near 0"
