"""What is made of a trial by its scored checkpoints: its losses, its violations, and which of them represents it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lethe.fronts import pareto
from lethe.fronts.objectives import losses, violations
from lethe.store.facts import Facts

Checkpoint = Mapping[str, Any]  # role, step, scores {name: [value, low, high]}, weights, items


@dataclass(frozen=True)
class Judgement:
    """Of the checkpoint that represents a trial its losses, its violation of each constraint, and its place."""

    losses: list[float]
    violations: dict[str, float]
    representative: str  # step/role


def judge(points: Sequence[Checkpoint], facts: Facts) -> Judgement:
    """Judge a trial by its checkpoints.

    ValueError where nothing was scored, or a score that is needed is missing or not finite in any checkpoint.
    """
    if not points:
        raise ValueError("no checkpoint was scored")
    values = np.array([losses(facts.objectives, p["scores"]) for p in points])
    broken = [violations(facts.constraints, p["scores"]) for p in points]
    chosen = pareto.representative(values, np.array([max(b.values(), default=0.0) for b in broken]))
    place = f"{points[chosen]['step']}/{points[chosen]['role']}"
    return Judgement(values[chosen].tolist(), broken[chosen], place)
