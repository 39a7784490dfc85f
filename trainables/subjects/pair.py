"""The target beside a second model, and how strongly that one counts: what subjects of two models have in common."""

import math
from typing import Any

from trainables.subjects.subject import Subject


class Pair(Subject):
    """The target and a second model, whose logits make one's at a strength `alpha`; 0 is the target.

    TypeError for an alpha that is no number, ValueError for one below 0 or not finite.
    """

    def __init__(self, target: Any, other: Any, alpha: float) -> None:
        self.models, self.alpha = (target, other), checked("alpha", alpha)

    def data(self) -> dict[str, Any]:
        """Its strength."""
        return {"alpha": self.alpha}

    @classmethod
    def plain(cls, data: dict[str, Any]) -> str | None:
        """At a strength of 0 the target."""
        return cls.folders[0] if data.get("alpha") == 0 else None


def checked(name: str, value: Any) -> float:
    """A number of a subject's data; TypeError where it is none, ValueError for one below 0 or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"its {name} is {value!r}: it must be a number")
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"its {name} is {value!r}: it must be at least 0, and finite")
    return float(value)
