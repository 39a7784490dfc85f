"""A study at one moment as tables, read at once and without writing: the one reader of whole studies.

To go through Optuna trial by trial takes a minute for 100,000 candidates; this takes a second, and reading again reads
only what was not finished before. Both give the same table (tests hold it). A store that is missing, empty, locked,
broken or of another version is a ValueError of one sentence, without its password.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from optuna.distributions import BaseDistribution
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from lethe.store.audits import AUDIT, Audited, audits_of
from lethe.store.candidates import candidates_of, parameters_of
from lethe.store.facts import FACTS, PLANNED, Facts
from lethe.store.optuna_tables import WORDS, Rows, check_schema, connect, explain, read_rows, read_trials, state_of
from lethe.store.queries import select
from lethe.store.trials import COST, NOTE, REPEAT_SEED, REPEATS, RERUN_OF, STOPPED, TOLD_FROM
from lethe.store.urls import hide_password


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A study at one moment. `candidates` is as `candidates_of` gives it.

    Runs of a trial's parameters with other seeds say how sure that trial's candidates are, and are none themselves:
    what they scored is in `repeats`, a table of the same kind with the columns REPEATS and REPEAT_SEED.
    """

    name: str
    facts: Facts
    candidates: pd.DataFrame
    # By number: its number, state, start, end, words, values, cost, first, each parameter; REPEATS, REPEAT_SEED or NaN.
    trials: pd.DataFrame
    distributions: dict[str, BaseDistribution]
    notes: dict[int, str]  # trial -> what somebody wrote about it
    planned: int | None  # how many trials were asked for
    repeats: pd.DataFrame = field(default_factory=pd.DataFrame)
    audits: tuple[Audited, ...] = ()  # what audits measured, in no order
    unreadable: int = 0  # candidates whose stored text is broken
    token: tuple[Any, ...] = ()  # differs whenever the study changed

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return list(self.distributions)

    @property
    def distinct_trials(self) -> pd.DataFrame:
        """The trials but the repeats, whose parameters another has."""
        return self.trials[self.trials[REPEATS].isna()]

    @property
    def told_trials(self) -> pd.DataFrame:
        """The trials that another study told."""
        return self.distinct_trials[self.distinct_trials[TOLD_FROM].notna()]

    @property
    def own_trials(self) -> pd.DataFrame:
        """The trials that this study searched by: no repeats, and none that another study told."""
        return self.distinct_trials[self.distinct_trials[TOLD_FROM].isna()]


class Reader:
    """Reads one study again and again; what was finished before is not read twice. Safe to share between threads.

    Who writes to the store as well gives its `engine`; who only looks on reads by one that cannot write.
    """

    def __init__(self, url: str, name: str, engine: Engine | None = None) -> None:
        self.url, self.name = url, name
        self._engine = engine if engine is not None else connect(url)
        self._lock = threading.Lock()
        self._last: Snapshot | None = None
        self._finished: set[int] = set()  # ids of the trials whose rows are kept
        self._kept = Rows.none()

    def read(self) -> Snapshot:
        """Return the study as it is now: the very same object as before where nothing changed."""
        with self._lock:
            try:
                with self._engine.connect() as connection:
                    return self._read(connection)
            except SQLAlchemyError as error:
                raise ValueError(explain(error, self.url)) from None

    def _read(self, connection: Connection) -> Snapshot:
        check_schema(connection, self.url)
        study = select(connection, "select study_id from studies where study_name = :name", name=self.name)
        if not study:
            raise ValueError(f"storage {hide_password(self.url)!r} has no study {self.name!r} any more")
        study_id = study[0][0]
        attributes = select(
            connection, 'select "key", value_json from study_user_attributes where study_id = :id', id=study_id
        )
        token = (study_id, *state_of(connection, study_id), tuple(sorted(map(tuple, attributes))))
        if self._last is not None and self._last.token == token:
            return self._last
        if self._last is not None and self._last.token[0] != study_id:  # deleted, and made anew
            self._finished, self._kept = set(), Rows.none()
        facts, notes, planned, audits = _study_attributes(attributes, self.name)
        trials = read_trials(connection, study_id)
        rows = self._rows_of(connection, study_id, trials)
        self._last = replace(assemble(self.name, facts, notes, planned, trials, rows, token), audits=audits)
        return self._last

    def _rows_of(self, connection: Connection, study_id: int, trials: pd.DataFrame) -> Rows:
        missing = [i for i in trials["trial_id"] if i not in self._finished]
        whole = not self._finished
        ended = set(trials.loc[trials["state"].isin(("COMPLETE", "FAIL", "PRUNED")), "trial_id"]) & set(missing)
        fresh = read_rows(connection, study_id, None if whole else missing)
        self._kept = self._kept.joined(fresh.of(ended))
        self._finished |= ended
        return self._kept.joined(fresh.of(set(missing) - ended))


def _study_attributes(
    attributes: Iterable[Any], name: str
) -> tuple[Facts, dict[int, str], int | None, tuple[Audited, ...]]:
    facts, notes, planned = None, {}, None
    try:
        audits = tuple(audits_of((key, value) for key, value in attributes if key.startswith(AUDIT)))
        for key, value in attributes:
            if key == FACTS:
                facts = Facts.from_json(json.loads(value))
            elif key == PLANNED:
                planned = int(json.loads(value))
            elif key.startswith(NOTE):
                notes[int(key.removeprefix(NOTE))] = str(json.loads(value))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"study {name!r} is half-written, or was made by another version of Lethe") from None
    if facts is None:
        raise ValueError(f"study {name!r} was not made by Lethe")
    return facts, notes, planned, audits


def assemble(
    name: str,
    facts: Facts,
    notes: dict[int, str],
    planned: int | None,
    trials: pd.DataFrame,
    rows: Rows,
    token: tuple[Any, ...],
) -> Snapshot:
    """A study as tables, from the rows of Optuna's."""
    distributions, parameters = parameters_of(rows, facts)
    table = trials.join(parameters, on="trial_id")
    for attribute in WORDS:
        table[attribute] = _reasons(table["trial_id"], rows.reasons, attribute)
    table[STOPPED] = table[STOPPED].where(table["state"] == "COMPLETE", None)  # else its driver died before its end
    table["values"] = table["trial_id"].map(_values(rows.values))
    for attribute in (COST, REPEATS, REPEAT_SEED):
        table[attribute] = table["trial_id"].map(rows.numbers(attribute)).astype(float)
    table["first"] = _first_runs(table, rows.numbers(RERUN_OF))
    repeated = table[REPEATS].notna()
    return Snapshot(
        name=name,
        facts=facts,
        candidates=candidates_of(trials[~repeated], rows, facts),
        trials=table.drop(columns="trial_id").set_index("number", drop=False),
        distributions=distributions,
        notes=notes,
        planned=planned,
        repeats=_repeats(table[repeated], rows, facts),
        unreadable=rows.unreadable,
        token=token,
    )


def _reasons(ids: pd.Series, reasons: pd.DataFrame, attribute: str) -> "pd.Series[Any]":
    """What one attribute says of each of some trials, as why it failed; None, and no NaN, where it says nothing."""
    own = reasons[reasons["attribute"] == attribute] if len(reasons) else reasons
    found = dict(zip(own["trial_id"], own["reason"], strict=True)) if len(own) else {}
    return pd.Series([found.get(i) for i in ids], index=ids.index, dtype=object)


def _values(values: pd.DataFrame) -> dict[int, list[float]]:
    if not len(values):
        return {}
    found: dict[int, list[float]] = {}
    ordered = values.sort_values(["trial_id", "objective"])
    for trial_id, value in zip(ordered["trial_id"].tolist(), ordered["value"].tolist(), strict=True):
        found.setdefault(trial_id, []).append(value)
    return found


def _repeats(trials: pd.DataFrame, rows: Rows, facts: Facts) -> pd.DataFrame:
    """What repeats scored; empty where there are none."""
    found = candidates_of(trials, rows.of(set(trials["trial_id"])), facts) if len(trials) else pd.DataFrame()
    if not len(found):
        return found
    numbers = trials.set_index("number")[[REPEATS, REPEAT_SEED]].astype(int)
    return found.assign(front=False).join(numbers, on="trial")


def _first_runs(trials: pd.DataFrame, repeats: dict[int, float]) -> list[int]:
    """The number by which each trial first ran: its own, where it repeats none."""
    first: dict[int, int] = {}
    for trial_id, number in zip(trials["trial_id"].tolist(), trials["number"].tolist(), strict=True):
        before = repeats.get(trial_id, number)
        first[number] = first.get(int(before), int(before))
    return [first[number] for number in trials["number"].tolist()]
