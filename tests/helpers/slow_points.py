"""The scored checkpoints of a study as a table, read through Optuna trial by trial: what the fast reader has to equal."""

from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from lethe.fronts import pareto
from lethe.fronts.objectives import finite_score, loss_array, losses, violations
from lethe.store.facts import Facts
from lethe.store.trials import checkpoints


def read_points(study: optuna.Study, facts: Facts) -> pd.DataFrame:
    """One row for each scored checkpoint of every trial that is complete or running.

    Columns: trial, state, step, role, each parameter, each score with `_low` and `_high`, `feasible`, `front`,
    `weights`, `items`. The front is that of complete trials; points with a score missing or not finite are left out.
    """
    rows = [
        _row(trial, point, facts)
        for trial in study.get_trials(deepcopy=False)
        if trial.state in (TrialState.COMPLETE, TrialState.RUNNING)
        for point in checkpoints(trial)
        if _is_scored(facts, point["scores"])
    ]
    table = pd.DataFrame(rows)
    if len(table):
        candidates = table["feasible"].to_numpy(bool) & (table["state"] == TrialState.COMPLETE.name).to_numpy(bool)
        table["front"] = pareto.front(loss_array(table, facts.objectives), candidates)
    return table


def _row(trial: FrozenTrial, point: dict[str, Any], facts: Facts) -> dict[str, Any]:
    row = {"trial": trial.number, "state": trial.state.name, "step": point["step"], "role": point["role"]}
    row |= trial.params
    for name, (value, low, high) in point["scores"].items():
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    row["feasible"] = all(v <= 0 for v in violations(facts.constraints, point["scores"]).values())
    return row | {"weights": point.get("weights"), "items": point.get("items")}


def _is_scored(facts: Facts, scores: dict[str, Any]) -> bool:
    try:
        losses(facts.objectives, scores)
        [finite_score(scores, c.score) for c in facts.constraints]
    except ValueError:
        return False
    return True
