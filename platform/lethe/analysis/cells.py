"""What stands in a table's cell or a sentence: a number, a score with its 95% interval, a list. Written here alone."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

NONE = "–"


def number(value: Any, digits: int = 1) -> str:
    """A number for a reader; a dash where there is none."""
    if not isinstance(value, Real) or not math.isfinite(value):
        return NONE
    text = f"{value:.{digits}f}"
    return f"{0:.{digits}f}" if float(text) == 0 else text.replace("-", "−")


def with_interval(value: Any, low: Any, high: Any, *, digits: int = 1, ends: int | None = None) -> str:
    """A value and how far its 95% interval reaches, rounded to `digits` and to `ends` of them.

    `15.1 ±4` reaches at most 4 to each side: the sides may differ, and the farther one is given. Where only one
    side is left, as at a score's best or worst, its sign says which: `0.0 +17` goes from 0 to 17.
    """
    if number(value) == NONE or not math.isfinite(low) or not math.isfinite(high):
        return number(value, digits)
    ends = digits if ends is None else ends
    below, above = (round(max(float(side), 0.0), ends) for side in (value - low, high - value))
    sign = "±" if (below > 0) == (above > 0) else "+" if above > 0 else "−"
    return f"{number(value, digits)} {sign}{max(below, above):.{ends}f}"


def percent(share: float) -> str:
    """A share of redraws, rounded; never 0% or 100%, which a sample cannot show."""
    return "under 1%" if share < 0.01 else "over 99%" if share > 0.99 else f"{share:.0%}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
