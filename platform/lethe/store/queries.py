"""Queries of a study's tables, their rows as the driver's own tuples: to make objects of them takes as long again."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, text

CHUNK = 500  # trials asked for by number in one query
TRIALS = (
    "select trial_id, number, state, datetime_start, datetime_complete from trials where study_id = :study and trial_id"
)


def select(connection: Connection, query: str, **values: Any) -> list[Any]:
    """All rows of a query."""
    return _all(connection.execute(text(query), values))


def select_some(connection: Connection, query: str, ids: Sequence[int], **values: Any) -> list[Any]:
    """All rows of a query that asks for trials by `in :ids`, a few of them at a time."""
    asked = text(query).bindparams(bindparam("ids", expanding=True))
    chunks = [ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK)]
    return [row for chunk in chunks for row in _all(connection.execute(asked, {"ids": chunk, **values}))]


def select_trials(connection: Connection, study_id: int, *, after: int, among: Collection[int]) -> list[Any]:
    """Trials of a study, by id, newer than one or among some: id, number, state, start and end."""
    older = select_some(connection, f"{TRIALS} in :ids", [i for i in among if i <= after], study=study_id)
    newer = select(connection, f"{TRIALS} > :after", study=study_id, after=after)
    return sorted([*older, *newer], key=lambda row: row[0])


def _all(result: CursorResult[Any]) -> list[Any]:
    rows = list(result.cursor.fetchall()) if result.cursor is not None else []
    result.close()
    return rows
