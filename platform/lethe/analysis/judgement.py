"""What is made of a trial by its scored candidates: its losses, its violations, and which of them represents it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lethe.fronts import pareto
from lethe.fronts.objectives import losses, violations
from lethe.store.facts import Facts
from lethe.store.places import Place

Candidate = Mapping[str, Any]  # axis, at, role, scores {name: [value, low, high]}, weights, items


@dataclass(frozen=True)
class Judgement:
    """Of the candidate that represents a trial its losses, its violation of each constraint, and its place."""

    losses: list[float]
    violations: dict[str, float]
    representative: str  # axis/at/role
    chosen: int  # which of the candidates it is


def judge(candidates: Sequence[Candidate], facts: Facts) -> Judgement:
    """Judge a trial by its candidates.

    ValueError where nothing was scored, or a score that is needed is missing or not finite in any candidate.
    """
    if not candidates:
        raise ValueError("no candidate was scored")
    values = np.array([losses(facts.objectives, c["scores"]) for c in candidates])
    broken = [violations(facts.constraints, c["scores"]) for c in candidates]
    chosen = pareto.representative(values, np.array([max(b.values(), default=0.0) for b in broken]))
    return Judgement(values[chosen].tolist(), broken[chosen], Place.of(candidates[chosen]).key, chosen)
