"""Where a candidate stands in its run: on which axis, where on it, and in which role; as a key and in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pandas as pd

PLACE = ("axis", "at", "role")  # by which a candidate is known among those of its run
STEP = "step"  # the axis of candidates that were stored before there were others
KEY = re.compile(r"(?:(?P<axis>[\w-]{1,60})/)?(?P<at>-?\d+(?:\.\d+)?(?:e-?\d+)?)/(?P<role>[\w .+-]{1,60})", re.ASCII)


@dataclass(frozen=True, order=True)
class Place:
    """A candidate's place among those of its run; a whole number is one, whatever type it came in."""

    axis: str
    at: int | float
    role: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", whole(self.at))

    @classmethod
    def of(cls, candidate: "Mapping[Any, Any] | pd.Series[Any]") -> Self:
        """The place of a candidate that is plain data, or a row of a table."""
        return cls(str(candidate["axis"]), candidate["at"], str(candidate["role"]))

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """The inverse of `key`, however its number is written; None where it is no key."""
        match = KEY.fullmatch(key)
        return cls(match["axis"] or STEP, float(match["at"]), match["role"]) if match else None

    @property
    def key(self) -> str:
        """As it stands in a link and in the store: `step/20/student`."""
        return f"{self.axis}/{self.at}/{self.role}"

    @property
    def where(self) -> str:
        """Where it stands, to a reader: `step 20`, `alpha 4.256`."""
        return f"{self.axis} {self.shown}"

    @property
    def shown(self) -> str:
        """Its number, to a reader: a whole one in full, others with four digits."""
        return str(self.at) if isinstance(self.at, int) else f"{self.at:.4g}"

    @property
    def words(self) -> str:
        """The whole of it, to a reader: `step 20, student`."""
        return f"{self.where}, {self.role}"


def whole(number: float) -> int | float:
    """A number as an int where it is a whole one."""
    return int(number) if float(number).is_integer() else float(number)
