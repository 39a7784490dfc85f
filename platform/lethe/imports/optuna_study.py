"""A study of somebody else in Optuna's tables: its parameters, its values and its trials' attributes as a table.

Columns are the parameters and the user attributes by their names, `number`, and `value`, or `value_0`, `value_1`, ...
where there are several. The store is opened for reading only.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from lethe.imports.mapping import Column, Columns, check_columns, parameters_of, place_of, scores_of
from lethe.imports.rows import Found, Oddity, Row
from lethe.store.facts import FACTS
from lethe.store.reading import SIGN, open_study, split_address
from lethe.store.urls import hide_password


def is_study(source: str) -> bool:
    """Whether a source is a study in a store, as `sqlite:///FILE#STUDY`."""
    return "://" in source


def read(source: str, columns: Columns) -> Found:
    """The complete trials of a study, each a run; their numbers are its lines."""
    url, name = split_address(source)
    study = open_study(url, name)
    if FACTS in study.user_attrs:
        raise ValueError(f"study {name!r} is one of Lethe's: a search starts from it with --start-from")
    trials = study.get_trials(deepcopy=False)
    return trials_of(f"{hide_password(url)}{SIGN}{name}", trials, columns)


def trials_of(source: str, trials: list[FrozenTrial], columns: Columns) -> Found:
    """The complete ones among trials as rows; of the others why they are none."""
    records = {trial.number: _record(trial) for trial in trials}
    check_columns(columns, dict.fromkeys(name for record in records.values() for name in record), repr(source))
    found = Found()
    for trial in trials:
        try:
            found.rows.append(_row(source, trial, records[trial.number], columns))
        except ValueError as error:
            found.oddities.append(Oddity(source, trial.number, str(error)))
    return found


def _record(trial: FrozenTrial) -> dict[str, Any]:
    values = trial.values or []
    names = ["value"] if len(values) == 1 else [f"value_{i}" for i in range(len(values))]
    return {**trial.user_attrs, **trial.params, "number": trial.number, **dict(zip(names, values, strict=True))}


def _row(source: str, trial: FrozenTrial, record: Mapping[str, Any], columns: Columns) -> Row:
    if trial.state != TrialState.COMPLETE:
        raise ValueError(f"it is {trial.state.name.lower()}, and not complete")
    return Row(
        file=source,
        line=trial.number,
        run=str(record[columns.run]) if columns.run in record else f"{source}/{trial.number}",
        parameters=parameters_of(_with_own(columns, trial), record),
        place=place_of(columns, record),
        scores=scores_of(columns, record),
    )


def _with_own(columns: Columns, trial: FrozenTrial) -> Columns:
    """The columns with all parameters of a trial by their own names, but those that are called otherwise."""
    taken = {column.name for column in columns.parameters.values()}
    own = {name: Column(name) for name in trial.params if name not in taken}
    return replace(columns, parameters={**own, **columns.parameters})
