"""The obvious search: ask, unlearn and tell in one loop of one process, without Ray. What every real search has to equal."""

from dataclasses import replace
from pathlib import Path

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState
from searching import Tiny

from lethe.search.ledger import Ledger
from lethe.store.facts import Facts
from lethe.store.parameters import METHOD, own
from lethe.store.trials import RERUN_OF, candidates
from trainables.benchmarks.small_models import one_thread
from trainables.runs.unlearning import Unlearner
from trainables.scores import measured_scores
from trainables.settings import Settings
from trainables.task import Task

Outcome = list[tuple[dict, list]]  # of each trial its parameters, and its candidates' scores


@one_thread()
def plain_search(facts: Facts, tiny: Tiny, folder: Path, trials: int, *configs: Settings) -> Outcome:
    """Run so many trials of the study that these facts describe, by its methods; in one thread, as workers do."""
    space = {name: tuple(entry) for name, entry in facts.about["space"].items()}
    ledger = Ledger.create(InMemoryStorage(), "plain", facts, space)
    unlearner = Unlearner(Task(**tiny.places(), cache=str(folder / "cache")), scores=measured_scores())
    for _ in range(trials):
        number, params = ledger.ask()
        config = next(config for config in configs if config.method == params.get(METHOD, config.method))
        for result in unlearner(replace(config, **own(params)), folder / f"trial-{number}"):
            for candidate in result["candidates"]:
                ledger.record(number, candidate)
        ledger.tell(number)
    return outcome(ledger.study)


def outcome(study: optuna.Study) -> Outcome:
    """What came of the complete trials, in the order in which they first ran."""
    ended = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    ended.sort(key=lambda trial: first_run(study, trial))
    return [(trial.params, [candidate["scores"] for candidate in candidates(trial)]) for trial in ended]


def first_run(study: optuna.Study, trial: FrozenTrial) -> int:
    """The number a trial first ran by, at whatever distance."""
    while RERUN_OF in trial.user_attrs:
        trial = study.trials[trial.user_attrs[RERUN_OF]]
    return trial.number
