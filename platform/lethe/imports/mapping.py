"""Which column of somebody else's table is what: `--map` read, and applied to one record after another. Pure.

lr=learning_rate                    a parameter
score:knowmem_f=forget_rouge*100    a score, here one that is written as a share
at:epoch=ep    run=name             where a candidate stands in its run, and which rows are of one run
role=kind                           whose scores they are
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lethe.imports.rows import MODEL, WHOLE, number, plain, role_of
from lethe.store.places import Place

SCORE, AT, RUN, ROLE = "score:", "at:", "run", "role"
NAME = re.compile(r"[A-Za-z_][\w.-]{0,59}", re.ASCII)
EXAMPLE = "score:knowmem_f=COLUMN, lr=COLUMN, at:epoch=COLUMN, run=COLUMN or role=COLUMN"


@dataclass(frozen=True)
class Column:
    """A column, and what its numbers are multiplied by."""

    name: str
    factor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What of a table is read: scores and parameters by name, and how rows lie in runs."""

    scores: Mapping[str, Column] = field(default_factory=dict)
    parameters: Mapping[str, Column] = field(default_factory=dict)
    axis: str = ""
    at: str = ""
    run: str = ""
    role: str = ""

    @property
    def names(self) -> list[str]:
        """The columns that are read, each once."""
        several = [column.name for column in (*self.scores.values(), *self.parameters.values())]
        return list(dict.fromkeys([*several, *(name for name in (self.at, self.run, self.role) if name)]))


def columns_of(texts: Iterable[str]) -> Columns:
    """Read texts `NAME=COLUMN`; ValueError, in one line, for the first that is none."""
    scores: dict[str, Column] = {}
    parameters: dict[str, Column] = {}
    others: dict[str, str] = {}
    for text in texts:
        what, equals, column = (part.strip() for part in text.partition("="))
        kind = SCORE if what.startswith(SCORE) else AT if what.startswith(AT) else ""
        name = what.removeprefix(kind)
        if not equals or not column or not NAME.fullmatch(name):
            raise ValueError(f"--map {text!r} is not NAME=COLUMN: give {EXAMPLE}")
        if name in (scores if kind == SCORE else parameters) or what in others or (kind == AT and "at" in others):
            raise ValueError(f"--map names {what!r} twice")
        if kind == SCORE:
            scores[name] = _column(column)
        elif kind == AT:
            others |= {"axis": name, "at": column}
        elif name in (RUN, ROLE):
            others[name] = column
        else:
            parameters[name] = _column(column)
    return Columns(scores=scores, parameters=parameters, **others)


def _column(text: str) -> Column:
    times = re.fullmatch(r"(.+?)\*(\d+(?:\.\d+)?)", text)
    return Column(times[1].strip(), float(times[2])) if times else Column(text)


def check_columns(columns: Columns, there: Iterable[str], whose: str) -> None:
    """ValueError where a table lacks a column that is named, or no score is named at all."""
    names = list(there)
    for name in columns.names:
        if name not in names:
            raise ValueError(f"{whose} has no column {name!r} (there: {', '.join(names) or 'none'})")
    if not columns.scores:
        raise ValueError(f"of {whose} no score is named: give --map score:knowmem_f=COLUMN (there: {', '.join(names)})")


def scores_of(columns: Columns, record: Mapping[str, Any]) -> dict[str, float]:
    """The scores of a record, as far as it has them; ValueError where it has none, or one is no number."""
    there = {name: c for name, c in columns.scores.items() if record.get(c.name) not in (None, "")}
    if not there:
        raise ValueError("it has no scores")
    return {name: _number(record, name, column) for name, column in there.items()}


def parameters_of(columns: Columns, record: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a record that it has; ValueError where one is no number that can be kept."""
    found = {}
    for name, column in columns.parameters.items():
        value = plain(record.get(column.name), name)
        if value is not None:
            found[name] = value if column.factor == 1 else _number(record, name, column)
    return found


def _number(record: Mapping[str, Any], name: str, column: Column) -> float:
    return number(number(record[column.name], name) * column.factor, name)


def place_of(columns: Columns, record: Mapping[str, Any]) -> Place:
    """Where a record's candidate stands in its run."""
    role = role_of(str(record.get(columns.role) or MODEL)) if columns.role else MODEL
    if not columns.at:
        return Place(WHOLE.axis, WHOLE.at, role)
    return Place(columns.axis, number(record.get(columns.at), columns.at), role)
