"""Search spaces: plain data turned into Optuna's distributions.

A space is a dict of `name: (kind, ...)`, and an entry is `("log_uniform", low, high)`, `("uniform", low, high)`,
`("integer", low, high)` or `("choice", (a, b, ...))`. In one over several methods `method` is the first choice, and
`npo_gdr.lr` is searched where it fell on `npo_gdr`.
"""

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lethe.store.parameters import METHOD, full_name, owner

Space = Mapping[str, tuple[Any, ...]]
KINDS = ("log_uniform", "uniform", "integer", "choice")


def join(spaces: Mapping[str, Space]) -> Space:
    """The spaces of methods as one: that of the only one as it is, else the method and then the settings of each."""
    if len(spaces) == 1:
        return next(iter(spaces.values()))
    methods: dict[str, tuple[Any, ...]] = {METHOD: ("choice", tuple(spaces))}
    return methods | {full_name(m, name): entry for m, space in spaces.items() for name, entry in space.items()}


def part(space: Space, method: str) -> Space:
    """Of a space over several methods one method's own; that of one method is it."""
    if METHOD not in space:
        return space
    return {name.removeprefix(f"{method}."): entry for name, entry in space.items() if owner(name) == method}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the distribution of every parameter; ValueError names the first range that makes no sense."""
    if not space:
        raise ValueError("the space is empty: name at least one parameter to search")
    return {name: _distribution(name, *entry) for name, entry in space.items()}


def _distribution(name: str, kind: str, *bounds: Any) -> BaseDistribution:
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} of parameter {name!r} is unknown: choose {', '.join(KINDS)}")
    if kind == "choice":
        return CategoricalDistribution(*bounds)
    low, high = bounds
    _check_range(name, kind, low, high)
    if kind == "integer":
        return IntDistribution(low, high)
    return FloatDistribution(low, high, log=kind == "log_uniform")


def _check_range(name: str, kind: str, low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"range of {name!r} is {low}:{high}: both ends must be finite numbers")
    if low > high:
        raise ValueError(f"range of {name!r} is {low}:{high}: the low end must not be above the high end")
    if kind == "log_uniform" and low <= 0:
        raise ValueError(f"range of {name!r} starts at {low}: a log-uniform range must start above 0")
