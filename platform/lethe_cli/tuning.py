"""Ablate after tuning: each arm has a small search of its own first, with the same budget as every other.

So a part is not blamed for another's badly tuned rate. An arm searches its rates around its own values, by one seed
that no run of the ablation has, and goes on with those of the recommended candidate, or with its own where none is
feasible.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import optuna
from rich.console import Console

from lethe.analysis.decide import recommend
from lethe.analysis.designs import Arm, Design
from lethe.cluster.connection import Cluster
from lethe.search.ledger import Ledger
from lethe.search.space import Space
from lethe.store.storage import open_storage
from lethe_cli.ablation_request import AblationRequest
from lethe_cli.search import open_ledger, run_trials
from trainables.scores.references import References


def tune_arms(
    request: AblationRequest, references: References, join: Callable[[], Cluster], console: Console
) -> Design:
    """The design with each arm's rates searched; the design as it is where no tuning is asked for."""
    if not request.tuned:
        return request.design
    storage = open_storage(request.storage)
    searches = request.searches()
    if {search.name for search in searches} - set(optuna.get_all_study_names(storage)):
        join()
    ledgers = [open_ledger(search, storage, references) for search in searches]
    if any(ledger.trials.finished() < request.tuned for ledger in ledgers):
        for arm, search, ledger in zip(request.design, searches, ledgers, strict=True):
            console.print(f"tuning {arm.name}: {', '.join(search.space)}", highlight=False)
            run_trials(search, ledger, join(), console)
    short = [
        arm.name
        for arm, ledger in zip(request.design, ledgers, strict=True)
        if ledger.trials.finished() < request.tuned
    ]
    if short:
        raise KeyboardInterrupt
    arms = [
        tuned(arm, ledger, search.space) for arm, search, ledger in zip(request.design, searches, ledgers, strict=True)
    ]
    for arm in arms:
        console.print(f"{arm.name}: {arm.settings}", soft_wrap=True, highlight=False)
    return replace(request.design, arms=tuple(arms))


def tuned(arm: Arm, ledger: Ledger, space: Space) -> Arm:
    """An arm with the rates of its search's recommended candidate."""
    candidates = ledger.read().candidates
    found = recommend(candidates, ledger.facts.objectives, ledger.facts.constraints) if len(candidates) else None
    if found is None:
        return arm
    row = candidates.iloc[found.row]
    rates: dict[str, Any] = {name: float(row[name]) for name in space if name in candidates.columns}
    return replace(arm, settings=arm.settings | rates)
