"""Optuna's storage in a database, with its trials read and written by queries of our own.

Optuna makes an object of every row, asks each distribution's JSON twice, and parses every attribute, though nearly all
are candidates that nobody asks a trial for: who resumes a study of 4,000 trials with 6 candidates each waited for that
several times as long as for the rows themselves. Of each of the twenty writes of a trial its objects take most of the
time as well. What is read and written is the same (tests hold it). Samplers and the ledger go through it, by Optuna's
cache of a storage.
"""

import functools
import json
from collections import UserDict, defaultdict
from collections.abc import Container, Iterable
from datetime import datetime
from typing import Any, Self, cast

from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
    json_to_distribution,
)
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, text

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
STATE = "select state from trials where trial_id = :id"
WRITE_ATTRIBUTE = (
    'insert into {} (trial_id, "key", value_json) values (:id, :key, :value) '
    'on conflict (trial_id, "key") do update set value_json = excluded.value_json'
)
WRITE_USER = WRITE_ATTRIBUTE.format("trial_user_attributes")
WRITE_SYSTEM = WRITE_ATTRIBUTE.format("trial_system_attributes")
WRITE_PARAM = (
    "insert into trial_params (trial_id, param_name, param_value, distribution_json) "
    "values (:id, :name, :value, :shape) on conflict (trial_id, param_name) do nothing"
)
FIRST_SHAPE = (
    "select distribution_json from trial_params join trials using (trial_id) where param_name = :name "
    "and study_id = (select study_id from trials where trial_id = :id) limit 1"
)
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
    """Optuna's storage in SQLite or PostgreSQL, quicker to read and to write."""

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A trial by its id, which Optuna asks for several times as one begins and ends; KeyError where it is none."""
        with self.engine.connect() as connection:
            found = select(connection, TRIAL, id=trial_id)
            if not found:
                raise KeyError(f"there is no trial {trial_id}")
            rows = {name: _rows_of(connection, name, trial_id) for name in QUERIES}
        return _frozen(found[0], rows)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set an attribute; KeyError where there is no such trial, UpdateFinishedTrialError where it has ended."""
        self._write(WRITE_USER, trial_id, key=key, value=json.dumps(value))

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set an attribute of Optuna's; the same errors."""
        self._write(WRITE_SYSTEM, trial_id, key=key, value=json.dumps(value))

    def _set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
        previous_distribution: BaseDistribution | None,
    ) -> None:
        """Set a parameter, if that was not done before; ValueError where its distribution does not go with others."""
        if previous_distribution is None:
            with self.engine.connect() as connection:
                shapes = select(connection, FIRST_SHAPE, id=trial_id, name=param_name)
            previous_distribution = _distribution(shapes[0][0]) if shapes else distribution
        check_distribution_compatibility(previous_distribution, distribution)
        shape = distribution_to_json(distribution)
        self._write(WRITE_PARAM, trial_id, name=param_name, value=param_value_internal, shape=shape)

    def _write(self, statement: str, trial_id: int, **values: Any) -> None:
        with self.engine.begin() as connection:
            found = select(connection, STATE, id=trial_id)
            if not found:
                raise KeyError(f"there is no trial {trial_id}")
            self.check_trial_is_updatable(trial_id, TrialState[found[0][0]])
            connection.execute(text(statement), {"id": trial_id, **values})

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
