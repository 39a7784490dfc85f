"""What a trial costs beyond its work: a study of no-op trials, beside Ray's two stock patterns in the same run.

    python -m measurements.trial_overhead [--trials 30]                 # about four minutes

Each pattern runs its trials one at a time on one worker of one CPU, and on two where it says so. Overhead per trial is
(wall time of the study minus start-up) / trials, where start-up ends with the first trial. "warm group" is what
`lethe tune` runs, with its SQLite store; "function" is a plain Tune function that imports torch and transformers;
"nested" is a Tune function that builds a TorchTrainer, as Ray's user guide has it. What a real trial does is not
measured here.
"""

import argparse
import functools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ray import train, tune
from ray.train.torch import TorchTrainer
from rich.console import Console
from rich.table import Table

import trainables
from lethe.cluster import connection as cluster
from lethe.fronts.objectives import Objective
from lethe.search.ledger import Ledger
from lethe.search.limits import Count
from lethe.search.searcher import Search
from lethe.search.study import run_searches, scratch_of
from lethe.store.facts import Facts
from lethe.store.storage import open_storage
from lethe.store.study_folder import StudyFolder
from trainables.workers.group import HEAD, Workers, warm

WARM = "warm group (lethe)"
SPACE = {"x": ("uniform", 0.0, 100.0)}
FACTS = Facts(objectives=(Objective(score="y", goal="minimize"),), constraints=(), sampler="random", seed=0)


class Clock:
    """Notes when each trial ends; an observer of ours and a callback of Tune's."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def started(self, number: int, params: Any) -> None:
        """Nothing to note."""

    def scored(self, number: int, candidate: Any) -> None:
        """Nothing to note."""

    def restarted(self, number: int, reason: str) -> None:
        """Nothing to note."""

    def finished(self, number: int, failure: str | None) -> None:
        """A trial of ours ended."""
        assert failure is None, failure
        self.ends.append(time.monotonic())


class StockClock(tune.Callback):
    """Notes when each of Tune's trials ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A stock trial ended."""
        self.ends.append(time.monotonic())


def make_session() -> Any:
    """A session whose trials do nothing but report one scored candidate."""
    import transformers  # noqa: F401  # what a real worker loads once

    def session(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
        scores = {"y": [config["x"], 0.0, 100.0]}
        yield {"candidates": [{"axis": "step", "at": 1, "role": "student", "scores": scores}]}

    return session


def run_warm(trials: int, folder: Path, workers: int) -> list[float]:
    """A study of no-op trials through the ledger and a warm group; when its trials ended."""
    storage = open_storage(f"sqlite:///{folder / 'study.db'}")
    ledger = Ledger.create(storage, "overhead", FACTS, SPACE)
    trainable = warm(make_session, Workers(count=workers), str(folder / "ray"))
    clock = Clock()
    own = StudyFolder(str(folder / "study"))
    search = Search(
        ledger=ledger,
        limit=Count(trials),
        observer=clock,
        job=lambda number, params: {"trial": number, **params},
        folder=own,
        trial=lambda number: f"{own.place}/{number}",
    )
    run_searches([search], trainable, slots=1, scratch=scratch_of(folder / "tune"))
    return clock.ends


def function_trial(config: dict[str, Any]) -> None:
    """A stock function trainable: a process of its own for every trial."""
    import torch  # noqa: F401
    import transformers  # noqa: F401

    tune.report({"x": config["x"]})


def nested_trial(config: dict[str, Any], folder: str, workers: int) -> None:
    """A stock nested trial: a Ray Train run of its own for every trial."""
    trainer = TorchTrainer(
        nested_loop,
        train_loop_config=config,
        scaling_config=train.ScalingConfig(num_workers=workers, resources_per_worker={"CPU": 1}),
        run_config=train.RunConfig(name=f"nested-{time.monotonic_ns()}", storage_path=folder),
    )
    trainer.fit()
    tune.report({"x": config["x"]})


def nested_loop(config: dict[str, Any]) -> None:
    """The Train worker of a nested trial."""
    import transformers  # noqa: F401

    train.report({"x": config["x"]})


def run_stock(trial: Any, trials: int, folder: Path, resources: dict[str, float]) -> list[float]:
    """A stock Tune run of no-op trials; when its trials ended."""
    clock = StockClock()
    tune.Tuner(
        tune.with_resources(trial, resources),
        param_space={"x": tune.uniform(0, 100)},
        tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=1),
        run_config=tune.RunConfig(name="stock", storage_path=str(folder), verbose=0, callbacks=[clock]),
    ).fit()
    return clock.ends


def measure(trials: int) -> dict[str, tuple[int, float, float]]:
    """Run the patterns in one Ray session: name -> (trials, start-up in s, overhead per further trial in s)."""
    began = time.monotonic()
    results = {}
    with tempfile.TemporaryDirectory() as room, cluster.connect([trainables]):
        ray_started = time.monotonic() - began
        patterns: dict[str, tuple[Any, int]] = {
            "function": (functools.partial(run_stock, function_trial, resources={"CPU": 1}), max(3, trials // 6))
        }
        for workers in (1, 2):
            nested = functools.partial(nested_trial, folder=f"{room}/nested", workers=workers)
            on = f"{workers} worker{'s' * (workers > 1)}"
            patterns[f"{WARM}, {on}"] = (functools.partial(run_warm, workers=workers), trials)
            patterns[f"nested, {on}"] = (functools.partial(run_stock, nested, resources=HEAD), 4)
        for name, (pattern, count) in patterns.items():
            start = time.monotonic()
            ends = pattern(trials=count, folder=Path(room) / name.replace(" ", "-"))
            assert len(ends) == count, f"{name}: {len(ends)} of {count} trials ended"
            results[name] = (count, ray_started + ends[0] - start, (ends[-1] - ends[0]) / (count - 1))
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30)
    table = Table("pattern", "trials", "start-up, s", "overhead per trial, s", "ratio")
    results = measure(parser.parse_args().trials)
    least = results[f"{WARM}, 1 worker"][2]
    for name, (count, start_up, overhead) in results.items():
        table.add_row(name, str(count), f"{start_up:.1f}", f"{overhead:.2f}", f"{overhead / least:.0f}x")
    Console(width=100).print(table)
