"""When trials are stopped before their end, as users name it and as a study's facts hold it. Loads no library."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

NONE, SETTLED, HALVING = RULES = ("none", "settled", "halving")
DEFAULT = SETTLED  # as much front for five sixths of the cost: measurements/results/samplers.md
STOP = "stop"  # in a study's facts: its rule; studies without one stop no trial


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When trials are stopped. `settled` is all but halving."""

    halving: bool = True
    reduction: int = 3  # of so many trials at a rung one goes on, and the next rung is so many times as far
    broken: int = 2  # evaluations, one after the other, by which a trial has collapsed
    idle: int = 2  # evaluations without a gain by which what is good enough has had its time
    gain: float = 0.01  # of the trial's hypervolume: what is less is none

    @classmethod
    def named(cls, name: str) -> Self | None:
        """A rule as users call it; None for none. ValueError for an unknown name."""
        if name not in RULES:
            raise ValueError(f"rule {name!r} for stopping trials is unknown: choose {', '.join(RULES)}")
        return None if name == NONE else cls(halving=name == HALVING)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Self | None:
        """The rule of a study, from what its facts say; None where it stops no trial."""
        return cls(**about[STOP]) if STOP in about else None

    def about(self) -> dict[str, Any]:
        """What a study's facts say of it: the inverse of `of`."""
        return {STOP: asdict(self)}

    @property
    def name(self) -> str:
        """As users call it."""
        return HALVING if self.halving else SETTLED
