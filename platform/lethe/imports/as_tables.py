"""Rows as a study at one moment, without a store: what the dashboard shows of results that ship with Lethe. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from optuna.distributions import distribution_to_json

from lethe.imports.rows import Row
from lethe.imports.shapes import Hints, shaped, space_of
from lethe.search.space import distributions
from lethe.store.facts import Facts
from lethe.store.optuna_tables import Rows
from lethe.store.snapshot import Snapshot, assemble


def as_snapshot(name: str, rows: Sequence[Row], facts: Facts, hints: Hints) -> Snapshot:
    """The study of some rows, each run a complete trial; nothing of it is stored anywhere."""
    runs = {run: number for number, run in enumerate(dict.fromkeys(row.run for row in rows))}
    numbers = list(runs.values())
    trials = pd.DataFrame({"trial_id": numbers, "number": numbers, "state": "COMPLETE"})
    trials["start"] = trials["end"] = pd.NaT
    known = {runs[row.run]: row.parameters for row in rows}
    tables = Rows.none()
    tables = Rows(_parameters(known, hints), tables.values, tables.reasons, tables.runs, _candidates(rows, runs), 0)
    return assemble(name, facts, {}, None, trials, tables, ())


def _parameters(known: dict[int, Any], hints: Hints) -> pd.DataFrame:
    """The parameters of each trial as Optuna's tables have them."""
    space = space_of(list(known.values()), hints)
    shapes = distributions(space)
    return pd.DataFrame(
        [
            (trial, name, shapes[name].to_internal_repr(value), distribution_to_json(shapes[name]))
            for trial, parameters in known.items()
            for name, value in shaped(parameters, space).items()
        ],
        columns=["trial_id", "name", "value", "distribution"],
    )


def _candidates(rows: Sequence[Row], runs: dict[str, int]) -> pd.DataFrame:
    """Each row as a candidate whose scores have no intervals."""
    table = pd.DataFrame({"trial_id": [runs[row.run] for row in rows]})
    for name in ("axis", "at", "role"):
        table[name] = [getattr(row.place, name) for row in rows]
    for score in dict.fromkeys(score for row in rows for score in row.scores):
        table[score] = [row.scores.get(score, np.nan) for row in rows]
        table[f"{score}_low"] = table[f"{score}_high"] = np.nan
    return table.assign(cost=np.nan, weights=None, items=None)
