"""What a reader looks at, as query parameters of a link, and back: whoever opens the link sees the same view."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from dashboard.outputs import ORDERS
from dashboard.table import parse_candidate
from lethe.analysis.decide import KNEE, Limit

Query = dict[str, str | list[str]]
VIEWS = ("2-D", "3-D", "matrix", "parallel")
PICTURES = ("SVG", "PNG")  # what charts are saved as
CHOICES = {"view": VIEWS, "picture": PICTURES, "order": ORDERS}
OLDER = "point"  # what `candidate` was called in links once
LIMIT = "limit"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """One view of one study. An empty field means the page's own choice, so that links stay short."""

    study: str = ""
    others: tuple[str, ...] = ()  # studies to compare with
    objectives: tuple[str, ...] = ()  # that the front is taken over
    view: str = VIEWS[0]
    x: str = ""
    y: str = ""
    z: str = ""
    intervals: bool = True
    beaten: bool = True  # whether dominated and infeasible candidates are drawn
    colour: str = ""  # what the colour of a candidate tells
    published: str = ""  # corpus of the published figures that are drawn in
    candidate: str = ""  # trial/axis/at/role
    rule: str = KNEE
    limits: tuple[Limit, ...] = ()
    method: str = ""  # of several, whose settings are looked at
    parameter: str = ""
    other: str = ""  # second parameter of a contour
    score: str = ""  # of slices, contours, outputs and audits
    stress: str = ""  # of an audit, whose items are looked at
    entrants: tuple[str, ...] = ()  # of an arena, that are drawn strongly
    search: str = ""
    order: str = ORDERS[0]  # of what a model wrote
    picture: str = PICTURES[0]


def to_query(selection: Selection) -> Query:
    """Return the fields that differ from their defaults as query parameters."""
    query: Query = {}
    for field in fields(Selection):
        value = getattr(selection, field.name)
        if value == field.default or field.name == "limits":
            continue
        query[field.name] = list(value) if isinstance(value, tuple) else _text(value)
    if selection.limits:
        query[LIMIT] = [f"{limit.score}:{_end(limit.low)}:{_end(limit.high)}" for limit in selection.limits]
    return query


def from_query(query: Mapping[str, Iterable[str] | str]) -> Selection:
    """Return the selection of a link; what it does not understand of it is left at its default."""
    values: dict[str, Any] = {}
    for field in fields(Selection):
        given = query.get(LIMIT if field.name == "limits" else field.name)
        if field.name == "candidate" and given is None:
            given = query.get(OLDER)
        if given is None or field.default is MISSING:
            continue
        texts = [given] if isinstance(given, str) else list(given)
        if field.name == "limits":
            values["limits"] = tuple(limit for text in texts if (limit := _limit(text)))
        elif isinstance(field.default, tuple):
            values[field.name] = tuple(texts)
        elif isinstance(field.default, bool):
            values[field.name] = texts[-1:] == ["yes"]
        elif field.name == "candidate":
            values["candidate"] = spelt(texts[-1]) if texts else ""
        elif texts and texts[-1] in CHOICES.get(field.name, texts):
            values[field.name] = texts[-1]
    return Selection(**values)


def spelt(key: str) -> str:
    """A candidate's key as tables have it, whoever spelt it; as it is where it is none."""
    found = parse_candidate(key)
    return found.key if found else key


def _text(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _end(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else ""


def _limit(text: str) -> Limit | None:
    score, *ends = text.rsplit(":", 2)
    try:
        low, high = (
            float(end) if end else math.copysign(math.inf, sign) for end, sign in zip(ends, (-1, 1), strict=True)
        )
    except ValueError:
        return None
    return None if math.isnan(low) or math.isnan(high) else Limit(score=score, low=low, high=high)
