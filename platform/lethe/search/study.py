"""Runs a search: Ray Tune around a trainable, the ledger as its searcher, the live display beside it."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune

from lethe.display.progress import Observer
from lethe.search.ledger import Ledger
from lethe.search.searcher import Deaths, Job, LedgerSearcher
from lethe.search.upkeep import Upkeep
from lethe.store.driver import is_gone, this_driver
from lethe.store.study_folder import StudyFolder

DEATHS = 2  # of a trial's own actor; what it delivered is stored, and it goes on from its state


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a study is run: how many trials in all, how many at once, and where what is written."""

    trials: int
    slots: int
    folder: StudyFolder  # of weights, outputs and states
    trial: Callable[[int], str]  # a trial's own folder, by the number that it first ran by
    job: Job
    home: Path  # holds for the length of the run `scratch`

    @property
    def scratch(self) -> Path:
        """Where Ray's own files go: a folder of this driver's own, for others may share `home`."""
        return self.home / this_driver().replace(" ", "_")


def run_study(ledger: Ledger, trainable: Any, plan: Plan, observer: Observer) -> None:
    """Run the trials that are left; on Ctrl-C, end early with the running ones marked as interrupted.

    `trainable` is a Tune trainable whose results carry `candidates` or a `failure`. What is needed no more is removed,
    see `Upkeep`.
    """
    left = plan.trials - ledger.trials.finished()
    if left <= 0:
        return
    upkeep = Upkeep(ledger, observer, plan.folder, plan.trial)
    searcher = LedgerSearcher(ledger, upkeep, plan.trials, plan.job)
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            num_samples=left,
            max_concurrent_trials=min(plan.slots, left),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(plan.scratch),
            failure_config=tune.FailureConfig(max_failures=DEATHS),
            callbacks=[Deaths(searcher)],
            # Of the actor, which has nothing to keep; a disk that is full or read-only would kill it as its trial ends.
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with ExitStack() as ends:
        ends.callback(_clear, plan.scratch)
        ends.callback(upkeep.sweep)  # comes first; where the store does not answer, the other is done all the same
        with ledger.driving():
            searcher.search(tuner.fit)


def _clear(scratch: Path) -> None:
    """Remove a driver's scratch folder and those that killed drivers of this host left beside it."""
    place = scratch.name.rsplit("_", 2)[0]
    for left in scratch.parent.glob(f"{place}_*"):
        if left == scratch or is_gone(left.name.replace("_", " ")):
            shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):  # another driver's is there
        scratch.parent.rmdir()
