"""Objectives and constraints of a study, and the one place where every direction is turned into "smaller is better".

Scores are x100 throughout. An objective's loss is 0 at its best and 100 at its worst, whatever its goal:
minimize -> score, maximize -> 100 - score, zero -> |score|.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

Values = TypeVar("Values", float, np.ndarray)
GOALS = MINIMIZE, MAXIMIZE, TWO_SIDED = ("minimize", "maximize", "zero")
WISHES = {"minimize": "low", "maximize": "high", "zero": "near 0"}  # the goals in a reader's words
ENDS = ("", "_low", "_high")  # of the columns of a score and its interval
SEEN = " seen by the choice"  # how columns end, beside what is reported: a score of the items that choose
WORST = 100.0  # the loss that bounds the box in which hypervolume is measured


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A score and where it should go. ValueError for an unknown goal."""

    score: str
    goal: str

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise ValueError(f"goal {self.goal!r} of objective {self.score!r} is unknown: choose {', '.join(GOALS)}")

    def loss(self, value: Values) -> Values:
        """Return the loss of a score, or of an array of scores; smaller is better."""
        return {"minimize": value, "maximize": WORST - value, "zero": abs(value)}[self.goal]

    def best_loss(self, value: Any, low: Any, high: Any) -> Any:
        """Return the smallest loss within an interval; that of the value where the interval is not known (NaN)."""
        ends = np.fmin.reduce([np.asarray(self.loss(end), float) for end in (value, low, high)])
        inside = (np.asarray(low) < 0) & (np.asarray(high) > 0) & (self.goal == TWO_SIDED)
        return np.where(inside, 0.0, ends)[()]


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """A score that has to stay at `floor` or above, and at `ceiling` or below, for a candidate to be feasible."""

    score: str
    floor: float | None = None
    ceiling: float | None = None

    @classmethod
    def of(cls, score: str, goal: str, bound: float) -> Self:
        """At least the bound of what is to be high, at most of what is to be low, no farther from 0 where 0 is best."""
        floor = {MINIMIZE: None, MAXIMIZE: bound, TWO_SIDED: -bound}[goal]
        return cls(score=score, floor=floor, ceiling=None if goal == MAXIMIZE else bound)

    @property
    def low(self) -> float:
        """The least that is feasible."""
        return -math.inf if self.floor is None else self.floor

    @property
    def high(self) -> float:
        """The most that is feasible."""
        return math.inf if self.ceiling is None else self.ceiling

    @property
    def goal(self) -> str:
        """Where it drives its score."""
        return MAXIMIZE if self.ceiling is None else MINIMIZE if self.floor is None else TWO_SIDED

    def violation(self, value: float) -> float:
        """Return how far a score is outside; 0 or less is feasible, as Optuna counts it."""
        return max(self.low - value, value - self.high)

    def broken_by(self, scores: Mapping[str, Sequence[float]]) -> bool:
        """Whether scores [value, low, high] by name break it; not where its own was not measured."""
        return self.score in scores and self.violation(scores[self.score][0]) > 0

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return a mask of the values that are feasible; a score that was not measured is not."""
        return (values >= self.low) & (values <= self.high)

    @property
    def sign(self) -> str:
        """Its bounds in a column's head: `≥ 80`, `≤ 20`, `±10`, `-5 to 10`."""
        if self.ceiling is None:
            return f"≥ {self.low:.3g}"
        if self.floor is None:
            return f"≤ {self.high:.3g}"
        return f"±{self.high:.3g}" if self.low == -self.high else f"{self.low:.3g} to {self.high:.3g}"

    @property
    def words(self) -> str:
        """Its bounds behind "has to stay": `at 80.0 or above`."""
        if self.ceiling is None:
            return f"at {self.low:.1f} or above"
        return f"at {self.high:.1f} or below" if self.floor is None else f"from {self.low:.1f} to {self.high:.1f}"


def compared(goal: str, values: Any) -> Any:
    """Scores as they are compared: where the best is 0, their distance from it."""
    return np.abs(values) if goal == TWO_SIDED else values


def compared_interval(goal: str, interval: Sequence[float]) -> tuple[float, float, float]:
    """A score [value, low, high] as it is compared: the distances from 0 of what lies within, where the best is 0."""
    value, low, high = (float(v) for v in interval)
    if goal != TWO_SIDED:
        return value, low, high
    nearest = 0.0 if low < 0 < high else min(abs(low), abs(high))
    return abs(value), nearest, max(abs(low), abs(high))


def score_name(score: str, goal: str) -> str:
    """What is compared of a score: where its best is 0, its distance from it."""
    return f"|{score}|" if goal == TWO_SIDED else score


def improves(goal: str, difference: float) -> bool:
    """Whether what is compared got better by a difference."""
    return difference > 0 if goal == MAXIMIZE else difference < 0


def describe(objectives: Sequence[Objective]) -> str:
    """Objectives in words."""
    return ", ".join(f"{o.score} {WISHES[o.goal]}" for o in objectives)


def describe_constraints(constraints: Sequence[Constraint]) -> str:
    """Constraints as --constrain takes them."""
    return ", ".join(f"{c.score}:{c.low if c.ceiling is None else c.ceiling:.12g}" for c in constraints)


def losses(objectives: Sequence[Objective], scores: Mapping[str, Any]) -> list[float]:
    """Return the losses of a candidate. ValueError names a score that is missing or not finite."""
    return [objective.loss(finite_score(scores, objective.score)) for objective in objectives]


def violations(constraints: Sequence[Constraint], scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the violation of each constraint. ValueError as in `losses`."""
    return {c.score: c.violation(finite_score(scores, c.score)) for c in constraints}


def finite_score(scores: Mapping[str, Any], name: str) -> float:
    """Return a score's value; scores are `{name: [value, low, high]}`."""
    if name not in scores:
        raise ValueError(f"score {name!r} is missing (there: {', '.join(scores) or 'none'})")
    value = float(scores[name][0])
    if not math.isfinite(value):
        raise ValueError(f"score {name!r} is {value}")
    return value


def loss_array(table: pd.DataFrame, objectives: Sequence[Objective]) -> np.ndarray:
    """Losses [candidates, objectives] of a table of candidates, by the scores that candidates are chosen by."""
    return np.stack([o.loss(chosen_by(table, o.score)) for o in objectives], axis=-1)


def chosen_by(table: pd.DataFrame, score: str) -> np.ndarray:
    """A score of every candidate of a table, over the items by which candidates are chosen."""
    seen = f"{score}{SEEN}"
    return table[seen if seen in table.columns else score].to_numpy(float)


def as_chosen(table: pd.DataFrame) -> pd.DataFrame:
    """A table of candidates with the scores and intervals that they are chosen by in the place of what is reported."""
    seen = [str(name) for name in table.columns if str(name).endswith(SEEN)]
    if not seen:
        return table
    return table.drop(columns=seen).assign(**{name.removesuffix(SEEN): table[name] for name in seen})
