"""Runs a search: Ray Tune around a trainable, the ledger as its searcher, the live display beside it."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow.fs import FileSystem
from ray import tune

from lethe.driver import is_gone, this_driver
from lethe.ledger import Ledger
from lethe.progress import Observer
from lethe.searcher import Deaths, LedgerSearcher

DEATHS = 2  # of a trial's own actor; what it delivered is stored, and it goes on from its state


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a study is run: how many trials in all, how many at once, and where Ray's own files go."""

    trials: int
    slots: int
    home: Path  # holds for the length of the run `scratch`

    @property
    def scratch(self) -> Path:
        """Where Ray's own files go: a folder of this driver's own, for others may share `home`."""
        return self.home / this_driver().replace(" ", "_")


def run_study(ledger: Ledger, trainable: Any, plan: Plan, observer: Observer) -> None:
    """Run the trials that are left; on Ctrl-C, end early with the running ones marked as interrupted.

    `trainable` is a Tune trainable whose results carry `checkpoints` or a `failure`. Weights of checkpoints that are
    not on the front are removed as trials end.
    """
    left = plan.trials - ledger.finished()
    if left <= 0:
        return
    searcher = LedgerSearcher(ledger, KeepFront(ledger, observer), plan.trials)
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
            verbose=0,
        ),
    )
    try:
        with ledger.driving():
            tuner.fit()
    finally:
        _clear(plan.scratch)


def _clear(scratch: Path) -> None:
    """Remove a driver's scratch folder and those that killed drivers of this host left beside it."""
    place = scratch.name.rsplit("_", 2)[0]
    for left in scratch.parent.glob(f"{place}_*"):
        if left == scratch or is_gone(left.name.replace("_", " ")):
            shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):  # another driver's is there
        scratch.parent.rmdir()


def remove_folder(place: str) -> None:
    """Remove a folder, given by its path or its URL, as far as that can be done."""
    with suppress(OSError):
        filesystem, path = FileSystem.from_uri(place if "://" in place else str(Path(place).absolute()))
        filesystem.delete_dir(path)


class KeepFront:
    """An observer that removes the weights of checkpoints as soon as they are known to be off the front."""

    def __init__(self, ledger: Ledger, observer: Observer) -> None:
        self._ledger = ledger
        self._observer = observer
        self._kept = ledger.front_weights()
        self._written: dict[int, set[str]] = {}

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """See Observer."""
        self._observer.started(number, params)

    def scored(self, number: int, checkpoint: Mapping[str, Any]) -> None:
        """See Observer."""
        if checkpoint.get("weights"):
            self._written.setdefault(number, set()).add(checkpoint["weights"])
        self._observer.scored(number, checkpoint)

    def restarted(self, number: int, reason: str) -> None:
        """See Observer."""
        self._observer.restarted(number, reason)

    def finished(self, number: int, failure: str | None) -> None:
        """See Observer."""
        candidates = self._kept | self._written.pop(number, set())
        self._kept = self._ledger.front_weights()
        for weights in candidates - self._kept:
            remove_folder(weights)
        self._observer.finished(number, failure)
