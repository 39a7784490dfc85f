"""Optuna's tables by our own queries, without writing: the rows of a study, its candidates' JSON parsed all at once.

What a `snapshot` and a `front` are made of. A store that is missing, empty, locked, broken or of another version is a
ValueError of one sentence, without its password.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from lethe.fronts.objectives import SEEN
from lethe.store.places import PLACE, Place
from lethe.store.queries import select, select_some, select_trials
from lethe.store.trials import COST, FAILURE, REPEAT_SEED, REPEATS, RERUN_OF, STOPPED, TOLD_FROM, place_of
from lethe.store.urls import hide_password, server_url, sqlite_file

SCHEMA = 12  # of Optuna's tables, as Optuna 5 writes them
PATIENCE = 3  # seconds to wait for a locked store


def connect(url: str) -> Engine:
    """Open a store for reading only; ValueError in one sentence where there is none."""
    shown = hide_password(url)
    file = sqlite_file(url)
    if file is None:
        try:
            return create_engine(server_url(url), poolclass=NullPool)  # no connection is held between two looks
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
            raise ValueError(f"storage {shown!r} cannot be opened: give sqlite:///FILE or a PostgreSQL URL") from None
    if file.is_dir():
        raise ValueError(f"{shown!r} is not a study store: it is a folder")
    if not file.is_file():
        raise ValueError(f"there is no store {shown!r} yet: a search makes it, for example `make tune`")
    return create_engine("sqlite://", creator=lambda: read_only(file), poolclass=NullPool)


def read_only(file: Path) -> sqlite3.Connection:
    """A connection to an SQLite file that cannot write to it."""
    name = f"file:{quote(os.fsencode(file.resolve()))}?mode=ro"
    return sqlite3.connect(name, uri=True, timeout=PATIENCE, check_same_thread=False)


def study_names(url: str) -> list[str]:
    """Names of the studies of a store, newest first; ValueError in one sentence where it cannot be read."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            check_schema(connection, url)
            return [row[0] for row in connection.execute(text("select study_name from studies order by study_id desc"))]
    except SQLAlchemyError as error:
        raise ValueError(explain(error, url)) from None
    finally:
        engine.dispose()


def explain(error: SQLAlchemyError, url: str) -> str:
    """What went wrong with a store, in one sentence."""
    shown, reason = hide_password(url), str(getattr(error, "orig", error)).lower()
    if "locked" in reason:
        return f"store {shown!r} is locked by another program: try again when it has let go"
    if "no such table" in reason or "no such column" in reason or "does not exist" in reason:
        return f"store {shown!r} is empty, half-written, or of another version: it lacks Optuna's tables"
    if "not a database" in reason or "malformed" in reason:
        return f"{shown!r} is not a study store, or a broken one"
    kind = "is not reachable" if isinstance(error, OperationalError) else "cannot be read"
    return f"store {shown!r} {kind} ({type(error).__name__})"


def check_schema(connection: Connection, url: str) -> None:
    """ValueError where the tables are not those of Optuna 5."""
    row = connection.execute(text("select schema_version, library_version from version_info")).first()
    if row is None or row[0] != SCHEMA:
        made = f"Optuna {row[1]}" if row else "nobody"
        raise ValueError(f"store {hide_password(url)!r} was made by {made}, whose tables differ from Optuna 5's")


@dataclass(frozen=True)
class Rows:
    """Rows of Optuna's tables, by trial_id: parameters, values, reasons, runs, and candidates with parsed scores."""

    parameters: pd.DataFrame  # trial_id, name, value, distribution
    values: pd.DataFrame  # trial_id, objective, value
    reasons: pd.DataFrame  # trial_id, attribute, reason: why a trial failed, was stopped, or who told it
    runs: pd.DataFrame  # trial_id, attribute, number: what NUMBERS say of a run
    candidates: pd.DataFrame  # trial_id, axis, at, role, scores ..., cost, weights, items
    unreadable: int

    @classmethod
    def none(cls) -> "Rows":
        """No rows."""
        empty = pd.DataFrame({"trial_id": np.zeros(0, dtype=int)})
        return cls(empty, empty, empty, empty, empty, 0)

    def tables(self) -> tuple[pd.DataFrame, ...]:
        """All five tables."""
        return self.parameters, self.values, self.reasons, self.runs, self.candidates

    def of(self, ids: set[int]) -> "Rows":
        """Only the rows of these trials."""
        parts = [table[table["trial_id"].isin(ids)] for table in self.tables()]
        return Rows(parts[0], parts[1], parts[2], parts[3], parts[4], self.unreadable if ids else 0)

    def numbers(self, attribute: str) -> dict[int, float]:
        """What one of NUMBERS says of each trial that has it: trial_id -> number."""
        if not len(self.runs):
            return {}
        own = self.runs[self.runs["attribute"] == attribute]
        return dict(zip(own["trial_id"].tolist(), own["number"].tolist(), strict=True))

    def joined(self, other: "Rows") -> "Rows":
        """These rows and the other ones."""
        both = [
            b if a.empty else a if b.empty else pd.concat([a, b], ignore_index=True)
            for a, b in zip(self.tables(), other.tables(), strict=True)
        ]
        return Rows(both[0], both[1], both[2], both[3], both[4], max(self.unreadable, other.unreadable))


def state_of(connection: Connection, study_id: int) -> tuple[Any, ...]:
    """What differs when trials or candidates of a study do, without reading them all."""
    states = select(
        connection,
        "select state, count(*), max(trial_id), max(datetime_complete) from trials where study_id = :id group by state",
        id=study_id,
    )
    newest = select(connection, "select max(trial_user_attribute_id) from trial_user_attributes")[0][0]
    # A running trial that was restarted writes over its candidates, so what they hold is compared too.
    query = "select trial_id from trials where study_id = :id and state = 'RUNNING'"
    running = [row[0] for row in select(connection, query, id=study_id)]
    live = hash(tuple(sorted(map(tuple, _some(connection, "attributes", running)))))
    return tuple(sorted(map(tuple, states), key=str)), newest, live


def _table(rows: Sequence[Any], columns: list[str]) -> pd.DataFrame:
    """A table of a query's rows; pandas' own way looks at every row's class, which takes longer than the query."""
    return pd.DataFrame(dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else {}, columns=columns)


def read_trials(connection: Connection, study_id: int, *, after: int = 0, among: Collection[int] = ()) -> pd.DataFrame:
    """The trials of a study: trial_id, number, state, start, end; those whose id is above `after`, or `among` some."""
    columns = ["trial_id", "number", "state", "start", "end"]
    table = _table(select_trials(connection, study_id, after=after, among=among), columns)
    table["start"], table["end"] = pd.to_datetime(table["start"]), pd.to_datetime(table["end"])
    return table


WORDS = (FAILURE, STOPPED, TOLD_FROM)  # trial attributes that are words, and columns of trials
NUMBERS = (COST, RERUN_OF, REPEATS, REPEAT_SEED)  # those that are numbers
QUERIES = {
    "parameters": "select p.trial_id, p.param_name, p.param_value, p.distribution_json from trial_params p",
    "values": "select p.trial_id, p.objective, p.value from trial_values p",
    "attributes": 'select p.trial_id, p."key", p.value_json from trial_user_attributes p',
}


def read_rows(connection: Connection, study_id: int, ids: list[int] | None) -> Rows:
    """All rows of a study, or those of some trials."""
    found: dict[str, list[Any]] = {}
    for name, query in QUERIES.items():
        if ids is None:
            whole = f"{query} where p.trial_id in (select trial_id from trials where study_id = :id)"
            found[name] = select(connection, whole, id=study_id)
            continue
        found[name] = _some(connection, name, ids)
    reasons = [(i, key, _plain(value)) for i, key, value in found["attributes"] if key in WORDS]
    runs = [(i, key, _number(value)) for i, key, value in found["attributes"] if key in NUMBERS]
    candidates, unreadable = _candidates(found["attributes"])
    return Rows(
        _table(found["parameters"], ["trial_id", "name", "value", "distribution"]),
        _table(found["values"], ["trial_id", "objective", "value"]),
        _table(reasons, ["trial_id", "attribute", "reason"]),
        _table(runs, ["trial_id", "attribute", "number"]),
        candidates,
        unreadable,
    )


def _some(connection: Connection, name: str, ids: list[int]) -> list[Any]:
    """The rows of some trials."""
    return select_some(connection, f"{QUERIES[name]} where p.trial_id in :ids", ids)


def _plain(value: str) -> str:
    try:
        return str(json.loads(value))
    except ValueError:
        return "its reason cannot be read"


def _number(value: str) -> float:
    try:
        return float(json.loads(value))
    except (ValueError, TypeError):
        return np.nan


def _candidates(attributes: Sequence[Any]) -> tuple[pd.DataFrame, int]:
    """The scored candidates among trials' attributes, and how many could not be read."""
    ids, keys, values = zip(*attributes, strict=True) if attributes else ((), (), ())
    known = {key: place_of(key) for key in set(keys)}  # few keys, each of them many times
    places = {key: place for key, place in known.items() if place}
    found = [i for i, key in enumerate(keys) if key in places]
    parsed, readable = _parse([values[i] for i in found])
    rows = [i for i, good in zip(found, readable, strict=True) if good]
    stands = [places[keys[i]] for i in rows]
    table = pd.DataFrame({"trial_id": [ids[i] for i in rows], **_columns_of(stands)})
    return pd.concat([table, parsed], axis=1), len(found) - len(rows)


def _columns_of(places: list[Place]) -> dict[str, list[Any]]:
    return {name: [getattr(place, name) for place in places] for name in PLACE}


def _parse(texts: list[str]) -> tuple[pd.DataFrame, list[bool]]:
    """Scores, cost, weights and items of candidates' JSON, and which of them could be read."""
    readable = [True] * len(texts)
    if not texts:
        return pd.DataFrame(), readable
    try:
        return _columns(texts), readable
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
        readable = [_well_formed(value) for value in texts]
    good = [value for value, kept in zip(texts, readable, strict=True) if kept]
    return (_columns(good) if good else pd.DataFrame()), readable


def _well_formed(value: str) -> bool:
    try:
        found = json.loads(value)
        triples = [*found["scores"].values(), *found.get("reported", {}).values()]
        return all(len(triple) == 3 and all(isinstance(v, int | float) for v in triple) for triple in triples)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _columns(texts: list[str]) -> pd.DataFrame:
    block = max(map(len, texts)) + (1 << 22)
    source = BytesIO("\n".join(texts).encode())
    table = pyarrow.json.read_json(
        source,
        read_options=pyarrow.json.ReadOptions(block_size=block),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=_schema(texts[0])),
    )
    if table.num_rows != len(texts) or "scores" not in table.column_names:
        raise ValueError("not one candidate a line")
    chosen_by, reported = _scores(table, "scores"), _scores(table, "reported")
    columns: dict[str, Any] = {}
    for name, seen in chosen_by.items():
        own = reported.get(name, seen)
        columns |= _ends(name, np.where(np.isnan(own), seen, own))
    for name, seen in chosen_by.items():
        if name in reported:
            columns |= _ends(name, seen, SEEN)
    for name in ("cost", "weights", "items"):
        known = name in table.column_names
        columns[name] = table.column(name).to_pylist() if known else [None] * len(texts)
    columns["cost"] = np.asarray(columns["cost"], float)
    return pd.DataFrame(columns)


def _schema(first: str) -> pa.Schema:
    """What the first candidate holds, so that Arrow need not find it out for each; others may hold more."""
    known = json.loads(first)
    kinds = [
        (kind, pa.struct([(name, pa.list_(pa.float64())) for name in known[kind]]))
        for kind in ("scores", "reported")
        if known.get(kind) or kind == "scores"
    ]
    return pa.schema([*kinds, ("cost", pa.float64()), ("weights", pa.string()), ("items", pa.string())])


def _scores(table: pa.Table, kind: str) -> dict[str, np.ndarray]:
    """The scores of one kind, each with value, low and high [rows, 3]."""
    if kind not in table.column_names:
        return {}
    scores = table.column(kind).combine_chunks()
    scores = scores.combine_chunks() if isinstance(scores, pa.ChunkedArray) else scores
    return {field.name: _triples(scores.field(field.name)) for field in scores.type}


def _ends(score: str, triples: np.ndarray, kind: str = "") -> dict[str, np.ndarray]:
    """The columns of a score and its interval [rows, 3]."""
    return {f"{score}{end}{kind}": triples[:, i] for i, end in enumerate(("", "_low", "_high"))}


def _triples(column: pa.Array) -> np.ndarray:
    """Value, low and high [rows, 3] of a score; NaN where a row does not have it."""
    out = np.full((len(column), 3), np.nan)
    if pa.types.is_null(column.type):
        return out
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    if not np.isin(lengths, (0, 3)).all():
        raise ValueError("a score is not value, low and high")
    values = pc.cast(pc.list_flatten(column), pa.float64())
    out[lengths == 3] = values.to_numpy(zero_copy_only=False).reshape(-1, 3)
    return out
