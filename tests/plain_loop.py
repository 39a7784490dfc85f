"""The obvious search: ask, unlearn and tell in one loop of one process, without Ray. What every real search has to equal."""

from dataclasses import replace
from pathlib import Path

import torch
from optuna.storages import InMemoryStorage
from searching import Tiny

from lethe import store
from lethe.ledger import Ledger
from lethe.store import Facts
from trainables.config import Config
from trainables.task import Task
from trainables.unlearning import Unlearner

Outcome = list[tuple[dict, list]]  # of each trial its parameters, and its checkpoints' scores


def tiny_task(tiny: Tiny, cache: Path) -> Task:
    """The tiny benchmark and its models, with a cache of its own."""
    places = {name: str(tiny.folder / folder) for name, folder in PLACES.items()}
    return Task(**places, cache=str(cache))


PLACES = {"benchmark": "data", "model": "target", "retrained": "retrained"}


def plain_search(facts: Facts, tiny: Tiny, folder: Path, trials: int, config: Config) -> Outcome:
    """Run so many trials of the study that these facts describe; in one thread, as workers do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        space = {name: tuple(entry) for name, entry in facts.about["space"].items()}
        ledger = Ledger.create(InMemoryStorage(), "plain", facts, space)
        unlearner = Unlearner(tiny_task(tiny, folder / "cache"))
        for _ in range(trials):
            number, params = ledger.ask()
            for result in unlearner(replace(config, **params), folder / f"trial-{number}"):
                for checkpoint in result["checkpoints"]:
                    ledger.record(number, checkpoint)
            ledger.tell(number)
    finally:
        torch.set_num_threads(threads)
    return [(trial.params, [point["scores"] for point in store.checkpoints(trial)]) for trial in ledger.study.trials]
