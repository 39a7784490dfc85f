"""Runs searches: Ray Tune around a trainable, the studies' ledgers as its searcher, the live display beside it."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray import tune

from lethe.search.ledger import driving
from lethe.search.limits import FULL
from lethe.search.searcher import Deaths, LedgerSearcher, Search, Stops
from lethe.search.upkeep import Upkeep
from lethe.store.driver import is_gone, this_driver

DEATHS = 2  # of a trial's own actor; what it delivered is stored, and it goes on from its state


def scratch_of(home: Path) -> Path:
    """Where Ray's own files go: a folder of this driver's own, for others may share `home`."""
    return home / this_driver().replace(" ", "_")


def run_searches(searches: Sequence[Search], trainable: Any, *, slots: int, scratch: Path) -> None:
    """Run studies side by side up to their limits, `slots` trials at once, on workers that all of them share.

    `trainable` is a Tune trainable whose results carry `candidates` or a `failure`. On Ctrl-C all end early, with the
    running trials marked as interrupted. What is needed no more is removed, see `Upkeep`.
    """
    if all(search.limit.had(search.ledger.trials) >= FULL for search in searches):
        return
    with ExitStack() as ends:
        ends.callback(_clear, scratch)
        searches = [_tidied(search, ends) for search in searches]
        searcher = LedgerSearcher(searches)
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=Stops(searcher),
                num_samples=-1,  # the searcher says when all is done
                max_concurrent_trials=slots,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=str(scratch),
                failure_config=tune.FailureConfig(max_failures=DEATHS),
                callbacks=[Deaths(searcher)],
                # Of the actor, which has nothing to keep; a full or read-only disk would kill it as its trial ends.
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )
        with driving([search.ledger for search in searches]):
            searcher.search(tuner.fit)


def _tidied(search: Search, ends: ExitStack) -> Search:
    """A search whose observer keeps its folder tidy, now and at the end."""
    upkeep = Upkeep(search.ledger, search.observer, search.folder, search.trial)
    ends.callback(upkeep.sweep)  # before what was registered earlier, which is done even if the store does not answer
    return replace(search, observer=upkeep)


def _clear(scratch: Path) -> None:
    """Remove a driver's scratch folder and those that killed drivers of this host left beside it."""
    place = scratch.name.rsplit("_", 2)[0]
    for left in scratch.parent.glob(f"{place}_*"):
        if left == scratch or is_gone(left.name.replace("_", " ")):
            shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):  # another driver's is there
        scratch.parent.rmdir()
