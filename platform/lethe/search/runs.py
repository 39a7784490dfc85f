"""Runs that are given, not suggested: each is queued once, or taken over from a study in which it has ended already.

A run is known by a hash of all that decides what comes of it, which its maker gives. Imports no ray.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from lethe.search.ledger import Ledger
from lethe.store.storage import taking_turns
from lethe.store.trials import RUN, TAKEN_FROM, candidates


@dataclass(frozen=True, kw_only=True)
class Run:
    """The parameters of a run, and the hash by which the very same run is found again."""

    params: Mapping[str, Any]
    key: str


def plan_runs(ledger: Ledger, runs: Iterable[Run], storage: BaseStorage) -> int:
    """Bring the runs that a study lacks into it, and return how many of them had ended in other studies of `storage`.

    Called again it adds nothing twice, wherever it was interrupted.
    """
    with taking_turns(storage, ledger.study.study_name):
        known = ledger.trials.parameters()
        missing = [run for run in runs if dict(run.params) not in known]
        finished = finished_runs(storage, ledger.study.study_name) if missing else {}
        return sum(_bring(ledger, run, finished) for run in missing)


def _bring(ledger: Ledger, run: Run, finished: Mapping[str, tuple[str, FrozenTrial]]) -> bool:
    """Take a run over, if it can be, or queue it; return whether it was taken over."""
    if run.key in finished:
        study, trial = finished[run.key]
        attrs = {
            RUN: run.key,
            TAKEN_FROM: trial.user_attrs.get(TAKEN_FROM, f"{study}/{trial.number}"),
        }
        if ledger.take_over(run.params, candidates(trial), attrs) is None:
            return True
    ledger.queue(run.params, {RUN: run.key})
    return False


def finished_runs(storage: BaseStorage, without: str) -> dict[str, tuple[str, FrozenTrial]]:
    """Every run that ended well in a study of a storage, but `without`: hash -> study and trial."""
    return {
        trial.user_attrs[RUN]: (name, trial)
        for name in optuna.get_all_study_names(storage)
        if name != without
        for trial in optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
        if trial.state == TrialState.COMPLETE and RUN in trial.user_attrs
    }
