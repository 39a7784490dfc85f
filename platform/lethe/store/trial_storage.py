"""Optuna's storage in a database, with its trials read by queries of our own, as `optuna_tables` reads them.

Optuna makes an object of every row, asks each distribution's JSON twice, and parses every attribute, though nearly all
are candidates that nobody asks a trial for: who resumes a study of 4,000 trials with 6 candidates each waited for that
several times as long as for the rows themselves. What is read is the same (tests hold it). Samplers and the ledger read
through it, by Optuna's cache of a storage.
"""

import functools
import json
from collections import UserDict, defaultdict
from collections.abc import Container, Iterable
from datetime import datetime
from typing import Any, Self, cast

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection

from lethe.store.queries import select, select_some, select_trials

TRIAL = "select trial_id, number, state, datetime_start, datetime_complete from trials where trial_id = :id"
QUERIES = {
    "params": "select trial_id, param_name, param_value, distribution_json from trial_params where trial_id",
    "values": "select trial_id, objective, value, value_type from trial_values where trial_id",
    "user": 'select trial_id, "key", value_json from trial_user_attributes where trial_id',
    "system": 'select trial_id, "key", value_json from trial_system_attributes where trial_id',
    "steps": "select trial_id, step, intermediate_value, intermediate_value_type from trial_intermediate_values "
    "where trial_id",
}
ORDERS = {"params": "param_id", "values": "objective", "user": "1", "system": "1", "steps": "step"}
NOT_FINITE = {"INF_POS": float("inf"), "INF_NEG": float("-inf"), "NAN": float("nan")}  # as Optuna stores them
Rows = dict[int, list[Any]]  # trial_id -> its rows, without that column


class Attributes(UserDict[str, Any]):
    """A trial's attributes, of which each is parsed when it is asked for."""

    @classmethod
    def of_json(cls, rows: Iterable[tuple[str, str]]) -> Self:
        """Those of rows of key and JSON."""
        found = cls()
        found.data = dict(rows)
        return found

    def __getitem__(self, key: str) -> Any:
        return json.loads(self.data[key])

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = json.dumps(value)


class TrialStorage(RDBStorage):
    """Optuna's storage, quicker to read."""

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial by its id, which Optuna asks for several times as one begins and ends; KeyError where it is none."""
        with self.engine.connect() as connection:
            found = select(connection, TRIAL, id=trial_id)
            if not found:
                raise KeyError(f"there is no trial {trial_id}")
            rows = {name: _rows_of(connection, name, trial_id) for name in QUERIES}
        return _frozen(found[0], rows)

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """The trials of a study newer than one, or among some, as Optuna's cache of a storage asks for them."""
        with self.engine.connect() as connection:
            if not select(connection, "select 1 from studies where study_id = :id", id=study_id):
                raise KeyError(f"there is no study {study_id}")
            trials = select_trials(connection, study_id, after=trial_id_greater_than, among=included_trial_ids)
            trials = [row for row in trials if states is None or TrialState[row[2]] in states]
            ids = [row[0] for row in trials]
            rows = {name: _rows(connection, name, ids) for name in QUERIES}
        return [_frozen(row, {name: found.get(row[0], []) for name, found in rows.items()}) for row in trials]


def _rows(connection: Connection, name: str, ids: list[int]) -> Rows:
    found: Rows = defaultdict(list)
    for trial_id, *row in select_some(connection, f"{QUERIES[name]} in :ids{_order(name)}", ids):
        found[trial_id].append(row)
    return found


def _rows_of(connection: Connection, name: str, trial_id: int) -> list[Any]:
    found = select(connection, f"{QUERIES[name]} = :id{_order(name)}", id=trial_id)
    return [row[1:] for row in found]


def _order(name: str) -> str:
    return f" order by {ORDERS[name]}"


def _frozen(trial: Any, rows: dict[str, list[Any]]) -> FrozenTrial:
    trial_id, number, state, start, end = trial
    shapes = {name: _distribution(shape) for name, _, shape in rows["params"]}
    return FrozenTrial(
        number=number,
        state=TrialState[state],
        value=None,
        values=[_number(value, kind) for _, value, kind in rows["values"]] or None,
        datetime_start=_time(start),
        datetime_complete=_time(end),
        params={name: shapes[name].to_external_repr(value) for name, value, _ in rows["params"]},
        distributions=shapes,
        user_attrs=cast(dict[str, Any], Attributes.of_json(rows["user"])),
        system_attrs={key: json.loads(value) for key, value in rows["system"]},
        intermediate_values={step: _number(value, kind) for step, value, kind in rows["steps"]},
        trial_id=trial_id,
    )


@functools.lru_cache(maxsize=1024)
def _distribution(shape: str) -> BaseDistribution:
    return json_to_distribution(shape)


def _number(value: float | None, kind: str) -> float:
    return NOT_FINITE[kind] if value is None else value


def _time(value: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
