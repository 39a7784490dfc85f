"""A study as tables, read at once and without writing, for who watches it: Optuna's tables by our own queries.

`store.read_points` goes through Optuna trial by trial, which takes a minute for 100,000 checkpoints; this takes a
second, and reading again reads only what was not finished before. Both give the same points (tests hold it). A store
that is missing, empty, locked, broken or of another version is a ValueError of one sentence, without its password.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
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
from optuna.distributions import BaseDistribution, json_to_distribution
from sqlalchemy import Connection, CursorResult, Engine, bindparam, create_engine, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from lethe import pareto, store
from lethe.store import Facts, hide_password

SCHEMA = 12  # of Optuna's tables, as Optuna 5 writes them
PATIENCE = 3  # seconds to wait for a locked store
CHUNK = 500  # trials asked for by number in one query
POINT = ("trial", "state", "step", "role")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A study at one moment. `points` is as `store.read_points` gives it."""

    name: str
    facts: Facts
    points: pd.DataFrame
    trials: pd.DataFrame  # number, state, start, end, failure, values, each parameter; indexed by number
    distributions: dict[str, BaseDistribution]
    notes: dict[int, str]  # trial -> what somebody wrote about it
    planned: int | None  # how many trials were asked for
    unreadable: int = 0  # checkpoints whose stored text is broken
    token: tuple[Any, ...] = ()  # differs whenever the study changed

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return list(self.distributions)


def connect(url: str) -> Engine:
    """Open a store for reading only; ValueError in one sentence where there is none."""
    shown = hide_password(url)
    if not url.startswith("sqlite:///"):
        try:
            return create_engine(store.server_url(url), poolclass=NullPool)  # no connection is held between two looks
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
            raise ValueError(f"storage {shown!r} cannot be opened: give sqlite:///FILE or a PostgreSQL URL") from None
    file = Path(url.removeprefix("sqlite:///"))
    if not file.is_file():
        raise ValueError(f"there is no store {shown!r} yet: a search makes it, for example `make tune`")
    name = f"file:{quote(str(file.resolve()))}?mode=ro"
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(name, uri=True, timeout=PATIENCE, check_same_thread=False),
        poolclass=NullPool,
    )


def study_names(url: str) -> list[str]:
    """Names of the studies of a store, newest first; ValueError in one sentence where it cannot be read."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            _check_schema(connection, url)
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


def _check_schema(connection: Connection, url: str) -> None:
    row = connection.execute(text("select schema_version, library_version from version_info")).first()
    if row is None or row[0] != SCHEMA:
        made = f"Optuna {row[1]}" if row else "nobody"
        raise ValueError(f"store {hide_password(url)!r} was made by {made}, whose tables differ from Optuna 5's")


class Reader:
    """Reads one study again and again; what was finished before is not read twice. Safe to share between threads."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self._engine = connect(url)
        self._lock = threading.Lock()
        self._last: Snapshot | None = None
        self._finished: set[int] = set()  # ids of the trials whose rows are kept
        self._kept = _Rows.none()

    def read(self) -> Snapshot:
        """Return the study as it is now: the very same object as before where nothing changed."""
        with self._lock:
            try:
                with self._engine.connect() as connection:
                    return self._read(connection)
            except SQLAlchemyError as error:
                raise ValueError(explain(error, self.url)) from None

    def _read(self, connection: Connection) -> Snapshot:
        _check_schema(connection, self.url)
        study = _rows(connection, "select study_id from studies where study_name = :name", name=self.name)
        if not study:
            raise ValueError(f"storage {hide_password(self.url)!r} has no study {self.name!r} any more")
        study_id = study[0][0]
        attributes = _rows(
            connection, 'select "key", value_json from study_user_attributes where study_id = :id', id=study_id
        )
        token = (study_id, *_state(connection, study_id), tuple(sorted(map(tuple, attributes))))
        if self._last is not None and self._last.token == token:
            return self._last
        if self._last is not None and self._last.token[0] != study_id:  # deleted, and made anew
            self._finished, self._kept = set(), _Rows.none()
        facts, notes, planned = _study_attributes(attributes, self.name)
        trials = _trials(connection, study_id)
        rows = self._rows_of(connection, study_id, trials)
        self._last = _assemble(self.name, facts, notes, planned, trials, rows, token)
        return self._last

    def _rows_of(self, connection: Connection, study_id: int, trials: pd.DataFrame) -> "_Rows":
        missing = [i for i in trials["trial_id"] if i not in self._finished]
        whole = not self._finished
        ended = set(trials.loc[trials["state"].isin(("COMPLETE", "FAIL", "PRUNED")), "trial_id"]) & set(missing)
        fresh = _fetch(connection, study_id, None if whole else missing)
        self._kept = self._kept.joined(fresh.of(ended))
        self._finished |= ended
        return self._kept.joined(fresh.of(set(missing) - ended))


@dataclass(frozen=True)
class _Rows:
    """Rows of Optuna's tables, by trial_id: parameters, values, failures, and checkpoints with parsed scores."""

    parameters: pd.DataFrame  # trial_id, name, value, distribution
    values: pd.DataFrame  # trial_id, objective, value
    failures: pd.DataFrame  # trial_id, reason
    checkpoints: pd.DataFrame  # trial_id, step, role, scores ..., weights, items
    unreadable: int

    @classmethod
    def none(cls) -> "_Rows":
        empty = pd.DataFrame({"trial_id": np.zeros(0, dtype=int)})
        return cls(empty, empty, empty, empty, 0)

    def tables(self) -> tuple[pd.DataFrame, ...]:
        return self.parameters, self.values, self.failures, self.checkpoints

    def of(self, ids: set[int]) -> "_Rows":
        parts = [table[table["trial_id"].isin(ids)] for table in self.tables()]
        return _Rows(parts[0], parts[1], parts[2], parts[3], self.unreadable if ids else 0)

    def joined(self, other: "_Rows") -> "_Rows":
        both = [
            b if a.empty else a if b.empty else pd.concat([a, b], ignore_index=True)
            for a, b in zip(self.tables(), other.tables(), strict=True)
        ]
        return _Rows(both[0], both[1], both[2], both[3], max(self.unreadable, other.unreadable))


def _rows(connection: Connection, query: str, **values: Any) -> list[Any]:
    return _all(connection.execute(text(query), values))


def _all(result: CursorResult[Any]) -> list[Any]:
    """All rows as the driver's own tuples; to make SQLAlchemy's of 100,000 takes as long as the query."""
    rows = list(result.cursor.fetchall()) if result.cursor is not None else []
    result.close()
    return rows


def _state(connection: Connection, study_id: int) -> tuple[Any, ...]:
    """What differs when trials or checkpoints of a study do, without reading them all."""
    states = _rows(
        connection,
        "select state, count(*), max(trial_id), max(datetime_complete) from trials where study_id = :id group by state",
        id=study_id,
    )
    newest = _rows(connection, "select max(trial_user_attribute_id) from trial_user_attributes")[0][0]
    # A running trial that was restarted writes over its checkpoints, so what they hold is compared too.
    query = "select trial_id from trials where study_id = :id and state = 'RUNNING'"
    running = [row[0] for row in _rows(connection, query, id=study_id)]
    live = hash(tuple(sorted(map(tuple, _some(connection, "attributes", running)))))
    return tuple(sorted(map(tuple, states), key=str)), newest, live


def _table(rows: Sequence[Any], columns: list[str]) -> pd.DataFrame:
    """A table of a query's rows; pandas' own way looks at every row's class, which takes longer than the query."""
    return pd.DataFrame(dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else {}, columns=columns)


def _trials(connection: Connection, study_id: int) -> pd.DataFrame:
    query = (
        "select trial_id, number, state, datetime_start, datetime_complete from trials "
        "where study_id = :id order by number"
    )
    columns = ["trial_id", "number", "state", "start", "end"]
    table = _table(_rows(connection, query, id=study_id), columns)
    table["start"], table["end"] = pd.to_datetime(table["start"]), pd.to_datetime(table["end"])
    return table


def _study_attributes(attributes: Iterable[Any], name: str) -> tuple[Facts, dict[int, str], int | None]:
    facts, notes, planned = None, {}, None
    try:
        for key, value in attributes:
            if key == store.FACTS:
                facts = Facts.from_json(json.loads(value))
            elif key == store.PLANNED:
                planned = int(json.loads(value))
            elif key.startswith(store.NOTE):
                notes[int(key.removeprefix(store.NOTE))] = str(json.loads(value))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"study {name!r} is half-written, or was made by another version of Lethe") from None
    if facts is None:
        raise ValueError(f"study {name!r} was not made by Lethe")
    return facts, notes, planned


QUERIES = {
    "parameters": "select p.trial_id, p.param_name, p.param_value, p.distribution_json from trial_params p",
    "values": "select p.trial_id, p.objective, p.value from trial_values p",
    "attributes": 'select p.trial_id, p."key", p.value_json from trial_user_attributes p',
}


def _fetch(connection: Connection, study_id: int, ids: list[int] | None) -> _Rows:
    """All rows of a study, or those of some trials."""
    found: dict[str, list[Any]] = {}
    for name, query in QUERIES.items():
        if ids is None:
            whole = f"{query} where p.trial_id in (select trial_id from trials where study_id = :id)"
            found[name] = _rows(connection, whole, id=study_id)
            continue
        found[name] = _some(connection, name, ids)
    failures = [(i, _plain(value)) for i, key, value in found["attributes"] if key == store.FAILURE]
    checkpoints, unreadable = _checkpoints(found["attributes"])
    return _Rows(
        _table(found["parameters"], ["trial_id", "name", "value", "distribution"]),
        _table(found["values"], ["trial_id", "objective", "value"]),
        _table(failures, ["trial_id", "reason"]),
        checkpoints,
        unreadable,
    )


def _some(connection: Connection, name: str, ids: list[int]) -> list[Any]:
    """The rows of some trials."""
    query = text(f"{QUERIES[name]} where p.trial_id in :ids").bindparams(bindparam("ids", expanding=True))
    chunks = [ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK)]
    return [row for chunk in chunks for row in _all(connection.execute(query, {"ids": chunk}))]


def _plain(value: str) -> str:
    try:
        return str(json.loads(value))
    except ValueError:
        return "its reason cannot be read"


def _checkpoints(attributes: Sequence[Any]) -> tuple[pd.DataFrame, int]:
    """The scored checkpoints among trials' attributes, and how many could not be read."""
    ids, keys, values = zip(*attributes, strict=True) if attributes else ((), (), ())
    matches = {key: store.CHECKPOINT.fullmatch(key) for key in set(keys)}  # few keys, each of them many times
    places = {key: (int(match[1]), match[2]) for key, match in matches.items() if match}
    found = [i for i, key in enumerate(keys) if key in places]
    parsed, readable = _parse([values[i] for i in found])
    rows = [i for i, good in zip(found, readable, strict=True) if good]
    table = pd.DataFrame(
        {
            "trial_id": [ids[i] for i in rows],
            "step": [places[keys[i]][0] for i in rows],
            "role": [places[keys[i]][1] for i in rows],
        }
    )
    return pd.concat([table, parsed], axis=1), len(found) - len(rows)


def _parse(texts: list[str]) -> tuple[pd.DataFrame, list[bool]]:
    """Scores, weights and items of checkpoints' JSON, and which of them could be read."""
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
        scores = json.loads(value)["scores"]
        return all(len(triple) == 3 and all(isinstance(v, int | float) for v in triple) for triple in scores.values())
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
        raise ValueError("not one checkpoint a line")
    scores = table.column("scores").combine_chunks()
    scores = scores.combine_chunks() if isinstance(scores, pa.ChunkedArray) else scores
    columns: dict[str, Any] = {}
    for field in scores.type:
        triples = _triples(scores.field(field.name))
        columns |= {f"{field.name}{end}": triples[:, i] for i, end in enumerate(("", "_low", "_high"))}
    for name in ("weights", "items"):
        known = name in table.column_names
        columns[name] = table.column(name).to_pylist() if known else [None] * len(texts)
    return pd.DataFrame(columns)


def _schema(first: str) -> pa.Schema:
    """What the first checkpoint holds, so that Arrow need not find it out for each; others may hold more."""
    names = json.loads(first)["scores"]
    scores = pa.struct([(name, pa.list_(pa.float64())) for name in names])
    return pa.schema([("scores", scores), ("weights", pa.string()), ("items", pa.string())])


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


def _assemble(
    name: str,
    facts: Facts,
    notes: dict[int, str],
    planned: int | None,
    trials: pd.DataFrame,
    rows: _Rows,
    token: tuple[Any, ...],
) -> Snapshot:
    distributions, parameters = _parameters(rows.parameters)
    order = list(facts.about.get("space", ()))
    distributions = dict(
        sorted(distributions.items(), key=lambda d: order.index(d[0]) if d[0] in order else len(order))
    )
    reasons = rows.failures.set_index("trial_id")["reason"] if len(rows.failures) else pd.Series(dtype=object)
    table = trials.join(parameters, on="trial_id")
    table["failure"] = [reasons.get(i) for i in table["trial_id"]] if len(reasons) else None
    table["values"] = table["trial_id"].map(_values(rows.values))
    return Snapshot(
        name=name,
        facts=facts,
        points=_points(table, list(distributions), rows.checkpoints, facts),
        trials=table.drop(columns="trial_id").set_index("number", drop=False),
        distributions=distributions,
        notes=notes,
        planned=planned,
        unreadable=rows.unreadable,
        token=token,
    )


def _values(values: pd.DataFrame) -> dict[int, list[float]]:
    if not len(values):
        return {}
    found: dict[int, list[float]] = {}
    ordered = values.sort_values(["trial_id", "objective"])
    for trial_id, value in zip(ordered["trial_id"].tolist(), ordered["value"].tolist(), strict=True):
        found.setdefault(trial_id, []).append(value)
    return found


def _parameters(rows: pd.DataFrame) -> tuple[dict[str, BaseDistribution], pd.DataFrame]:
    """Distributions by name, and a table of values with a row for each trial_id and a column for each parameter."""
    distributions: dict[str, BaseDistribution] = {}
    columns: dict[str, pd.Series] = {}
    if not len(rows):
        return distributions, pd.DataFrame()
    for name in dict.fromkeys(rows["name"]):
        own = rows[rows["name"] == name]
        shapes = {shape: json_to_distribution(shape) for shape in own["distribution"].unique()}
        distributions[name] = shapes[own["distribution"].iloc[0]]
        values = [shapes[d].to_external_repr(v) for d, v in zip(own["distribution"], own["value"], strict=True)]
        columns[name] = pd.Series(values, index=own["trial_id"].to_numpy())
    return distributions, pd.DataFrame(columns)


def _points(trials: pd.DataFrame, parameters: list[str], checkpoints: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    needed = [o.score for o in facts.objectives] + [c.score for c in facts.constraints]
    if not len(checkpoints) or not set(needed) <= set(checkpoints.columns):
        return pd.DataFrame()
    live = trials.loc[trials["state"].isin(("COMPLETE", "RUNNING")), ["trial_id", "number", "state", *parameters]]
    live = live.rename(columns={"number": "trial"})
    scored = np.isfinite(checkpoints[needed].to_numpy(float)).all(axis=1)
    table = live.merge(checkpoints[scored], on="trial_id").drop(columns="trial_id")
    if not len(table):
        return pd.DataFrame()
    scores = [c for c in checkpoints.columns if c not in ("trial_id", "step", "role", "weights", "items")]
    table = table.sort_values(["trial", "step", "role"], kind="stable", ignore_index=True)
    met = [table[c.score].to_numpy(float) >= c.floor for c in facts.constraints]
    table["feasible"] = np.logical_and.reduce(met) if met else True
    candidates = table["feasible"].to_numpy(bool) & (table["state"] == "COMPLETE").to_numpy(bool)
    table["front"] = pareto.front(store.loss_array(table, facts.objectives), candidates)
    return table[[*POINT, *parameters, *scores, "feasible", "weights", "items", "front"]]
