"""The scored candidates of a study as a table, read through Optuna trial by trial: what the fast reader has to equal."""

from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from lethe.fronts import pareto
from lethe.fronts.objectives import SEEN, finite_score, loss_array, losses, violations
from lethe.store.facts import Facts
from lethe.store.trials import candidates


def read_candidates(study: optuna.Study, facts: Facts) -> pd.DataFrame:
    """One row for each scored candidate of every trial that is complete or running.

    Columns: trial, state, step, role, each parameter, each score with `_low` and `_high`, `feasible`, `front`,
    `weights`, `items`. The front is that of complete trials; candidates with a score missing or not finite are left out.
    """
    rows = [
        _row(trial, candidate, facts)
        for trial in study.get_trials(deepcopy=False)
        if trial.state in (TrialState.COMPLETE, TrialState.RUNNING)
        for candidate in candidates(trial)
        if _is_scored(facts, candidate["scores"])
    ]
    table = pd.DataFrame(rows)
    if len(table):
        eligible = table["feasible"].to_numpy(bool) & (table["state"] == TrialState.COMPLETE.name).to_numpy(bool)
        table["front"] = pareto.front(loss_array(table, facts.objectives), eligible)
    return table


def _row(trial: FrozenTrial, candidate: dict[str, Any], facts: Facts) -> dict[str, Any]:
    row = {
        "trial": trial.number,
        "state": trial.state.name,
        **{name: candidate[name] for name in ("axis", "at", "role")},
    }
    row |= trial.params
    for name, seen in candidate["scores"].items():
        reported = candidate.get("reported", {})
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), reported.get(name, seen), strict=True))
        if name in reported:
            ends = ("", "_low", "_high")
            row |= {f"{name}{end}{SEEN}": value for end, value in zip(ends, seen, strict=True)}
    row["feasible"] = all(v <= 0 for v in violations(facts.constraints, candidate["scores"]).values())
    return row | {name: candidate.get(name) for name in ("cost", "weights", "items")}


def _is_scored(facts: Facts, scores: dict[str, Any]) -> bool:
    try:
        losses(facts.objectives, scores)
        [finite_score(scores, c.score) for c in facts.constraints]
    except ValueError:
        return False
    return True
