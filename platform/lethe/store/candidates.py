"""The scored candidates of a study as one table, from the rows of Optuna's tables. Pure.

One row for each scored candidate of every trial that is complete or running. Columns: trial, state, axis, at, role,
each parameter, each score with `_low` and `_high`, `feasible`, `cost`, `weights`, `items`, `front`. The cost is what
the run cost up to it, in forward passes of a sequence; NaN in studies that did not store it. The front is that of
complete trials; candidates with a score missing or not finite are left out. Where items are split, the scores are of
those that report; what is feasible, and the front, are by those that choose: columns that end in SEEN.
"""

import numpy as np
import pandas as pd
from optuna.distributions import BaseDistribution, IntDistribution, json_to_distribution

from lethe.fronts import pareto
from lethe.fronts.objectives import SEEN, chosen_by, loss_array
from lethe.store.facts import Facts
from lethe.store.optuna_tables import Rows
from lethe.store.parameters import owner
from lethe.store.places import PLACE

COLUMNS = ("trial", "state", *PLACE)
BESIDE = ("cost", "weights", "items")


def candidates_of(trials: pd.DataFrame, rows: Rows, facts: Facts) -> pd.DataFrame:
    """The candidates of some trials, each with its parameters; empty where there are none."""
    _, parameters = parameters_of(rows, facts)
    found = filled(rows.candidates)
    needed = [o.score for o in facts.objectives] + [c.score for c in facts.constraints]
    if not len(found) or not set(needed) <= set(found.columns):
        return pd.DataFrame()
    live = trials.loc[trials["state"].isin(("COMPLETE", "RUNNING")), ["trial_id", "number", "state"]]
    live = live.rename(columns={"number": "trial"}).join(parameters, on="trial_id")
    scored = np.isfinite([chosen_by(found, name) for name in needed]).all(axis=0)
    table = live.merge(found[scored], on="trial_id").drop(columns="trial_id")
    if not len(table):
        return pd.DataFrame()
    scores = [c for c in found.columns if c not in ("trial_id", *PLACE, *BESIDE)]
    table = table.sort_values(["trial", *PLACE], kind="stable", ignore_index=True)
    met = [c.holds(chosen_by(table, c.score)) for c in facts.constraints]
    table["feasible"] = np.logical_and.reduce(met) if met else True
    eligible = table["feasible"].to_numpy(bool) & (table["state"] == "COMPLETE").to_numpy(bool)
    table["front"] = pareto.front(loss_array(table, facts.objectives), eligible)
    return table[[*COLUMNS, *parameters.columns, *scores, "feasible", *BESIDE, "front"]]


def filled(candidates: pd.DataFrame) -> pd.DataFrame:
    """Candidates of whose scores some are split: what the choice saw of the others is what is reported."""
    seen = [str(name) for name in candidates.columns if str(name).endswith(SEEN)]
    return candidates.assign(**{name: candidates[name].fillna(candidates[name.removesuffix(SEEN)]) for name in seen})


def parameters_of(rows: Rows, facts: Facts) -> tuple[dict[str, BaseDistribution], pd.DataFrame]:
    """Distributions by name, in the order of the study's space, and values: trial_id -> each parameter."""
    distributions: dict[str, BaseDistribution] = {}
    columns: dict[str, pd.Series] = {}
    found = rows.parameters
    order = list(facts.about.get("space", ()))
    names = list(dict.fromkeys(found["name"])) if len(found) else []
    for name in sorted(names, key=lambda n: order.index(n) if n in order else len(order)):
        own = found[found["name"] == name]
        shapes = {shape: json_to_distribution(shape) for shape in own["distribution"].unique()}
        distributions[name] = shapes[own["distribution"].iloc[0]]
        values = [shapes[d].to_external_repr(v) for d, v in zip(own["distribution"], own["value"], strict=True)]
        whole = isinstance(distributions[name], IntDistribution)  # also where the trials of other methods have none
        columns[name] = pd.Series(
            values, index=own["trial_id"].to_numpy(), dtype="Int64" if whole and owner(name) else None
        )
    return distributions, pd.DataFrame(columns)
