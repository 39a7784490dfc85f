"""What is read of results that others wrote: rows, each a scored candidate of a run, and oddities. Pure."""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lethe.store.places import Place

MODEL = "model"  # the role of a candidate of which nothing else is known
SCALE = ("benchmark", "model")  # of the facts of a row: scores of others are no reference
WHOLE = Place("run", 1, MODEL)  # where it stands then: a run's only candidate


@dataclass(frozen=True, kw_only=True)
class Row:
    """A scored candidate, and where it is written. Rows of one `run` share their parameters; scores are x100."""

    file: str
    line: int
    run: str
    parameters: Mapping[str, Any]
    place: Place
    scores: Mapping[str, float]
    facts: Mapping[str, str] = field(default_factory=dict)  # benchmark, model, protocol: what the source says of them


@dataclass(frozen=True)
class Oddity:
    """What could not be taken, where it is written, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a source says of the model `name`, "target" or "retrained", that its candidates are read against."""

    name: str
    scores: Mapping[str, float]
    facts: Mapping[str, str] = field(default_factory=dict)  # as of a row


@dataclass(frozen=True)
class Found:
    """All that a reader found; of a reference model as often as it was scored."""

    rows: list[Row] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    @classmethod
    def joined(cls, several: Iterable["Found"]) -> "Found":
        """What several readers found."""
        joined = cls()
        for found in several:
            joined.rows.extend(found.rows)
            joined.oddities.extend(found.oddities)
            joined.references.extend(found.references)
        return joined


def references_of(references: Iterable[Reference], about: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """By their names the scores that most say of the reference models of a study's benchmark and model."""
    scored: dict[str, Counter[tuple[tuple[str, float], ...]]] = {}
    for reference in references:
        if all(reference.facts.get(what, its) == its for what in SCALE if (its := about.get(what))):
            scored.setdefault(reference.name, Counter())[tuple(sorted(reference.scores.items()))] += 1
    return {name: dict(scores.most_common(1)[0][0]) for name, scores in scored.items()}


def text_of(file: Path) -> str:
    """The text of a file, without a mark at its beginning; what is no UTF-8 becomes a sign that no format has."""
    return file.read_text("utf-8-sig", errors="replace")


def number(value: Any, what: str) -> float:
    """A finite number; ValueError says what it is that is none."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{what} is {value!r}: it must be a finite number")
    return found


def plain(value: Any, what: str) -> Any:
    """A parameter as it was meant: numbers and truths that were written as text are read; None for an empty one.

    NaN is how tables write an empty cell. ValueError says of a number that no store can keep what it is.
    """
    meant = _meant(value.strip()) if isinstance(value, str) else value
    if isinstance(meant, str | bool):
        return meant if meant != "" else None
    if not isinstance(meant, int | float) or meant != meant:
        return None
    if number(meant, what) != meant:
        raise ValueError(f"{what} is {meant}: it has more digits than a store keeps")
    return meant


def _meant(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def role_of(name: str) -> str:
    """A name as a role can be written: other signs become dashes, and it ends after 60."""
    return re.sub(r"[^\w .+-]", "-", name, flags=re.ASCII)[:60].strip() or MODEL


def records(file: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, str] | str]]]:
    """The head of a CSV file, and its records by their line; in the place of a broken one, what is wrong with it."""
    lines = csv.reader(io.StringIO(text_of(file), newline=""), strict=True)
    try:
        head = [name.strip() for name in next(lines, [])]
    except csv.Error as error:
        raise ValueError(f"{str(file)!r} is no CSV: {error}") from None
    if not head:
        raise ValueError(f"{str(file)!r} is empty")
    return head, _records(head, lines)


def _records(head: list[str], lines: Any) -> Iterator[tuple[int, dict[str, str] | str]]:
    while True:
        begins = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield begins, f"it is no CSV: {error}"
            continue
        if len(cells) == len(head):
            yield begins, dict(zip(head, cells, strict=True))
        elif cells:
            yield begins, f"it has {len(cells)} cells, and the head has {len(head)}"
