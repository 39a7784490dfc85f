"""Which search finds a front for the least: samplers, rules for stopping, first trials, what a trial tells its sampler.

    python -m measurements.samplers [--seeds 20] [--trials 40]      # an hour for the table, on two quiet cores
    python -m measurements.samplers --made-up --out /tmp/made-up    # a table of a smooth form in its place

First a table: every cell of a grid over the space of `me_gd`, run once on muse-mini and scored every five steps, as a
study of Lethe's whose runs are queued. Then every arm searches it with each seed, until it has spent what `--trials`
whole runs cost; arms are paired by their seeds. Both go on where they were stopped, and what is there is not run again:
the table lies beside the report, the replays below --storage-path in a folder by the table's hash (remove it where the
code of a search has changed). The replays take minutes, but for those of the Gaussian process: a second for each of its
suggestions makes the better part of an hour. `--arms` names those that are wanted.
"""

import argparse
import functools
import math
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from rich.console import Console
from rich.progress import track

from lethe.search.runs import Run, plan_runs
from lethe.store.storage import going_on_later, open_storage
from lethe.store.urls import RESULTS
from lethe_cli.ablating import commit
from lethe_cli.flags import TuneFlags
from lethe_cli.request import make_request
from lethe_cli.search import begin, joining, open_ledger, run_trials
from measurements.arms import ARMS
from measurements.cells import COMMIT, Table, grid, made_up, table_of
from measurements.replay import replay
from measurements.samplers_report import BASE, write_report
from trainables.folders import expanded
from trainables.keys import run_key
from trainables.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
NAME = "samplers"
COUNTS = {"lr": 12, "forget_weight": 12}
FLAGS: dict[str, Any] = {  # of 60 steps: rungs at 5, 15 and 45
    "benchmark": "muse-mini",
    "method": "me_gd",
    "settings": ("eval_every=5",),
    "name": NAME,
    "trials": math.prod(COUNTS.values()),
    "sampler": "random",
    "resume": True,
}


def make_table(file: Path, storage_path: str, console: Console) -> None:
    """Run every cell that has not run yet, and write the table. ValueError where it was interrupted."""
    request = make_request(TuneFlags(**FLAGS, storage_path=storage_path))
    references = begin(request, request.corners(), console)
    storage = open_storage(request.storage)
    with going_on_later(request.storage), joining(request, console) as join:
        join()  # before there is a study: see run_search
        ledger = open_ledger(request, storage, references, {COMMIT: commit()})
        plan_runs(ledger, runs_of(grid(request.space, COUNTS), request.base, references.fingerprint), storage)
        if ledger.trials.finished() < request.trials:
            run_trials(request, ledger, join(), console)
    if ledger.trials.finished() < request.trials:
        raise ValueError(f"{ledger.trials.finished()} of {request.trials} cells have run: the same command goes on")
    table_of(ledger, request.space).write(file)


def runs_of(cells: Sequence[Mapping[str, Any]], base: Settings, data: str) -> list[Run]:
    """The run of each cell; `data` is the task's fingerprint."""
    return [Run(params=cell, key=run_key(replace(base, **cell), data)) for cell in cells]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A search that is replayed, and the folder where its course is kept."""

    table: Path
    arm: str
    seed: int
    trials: int
    workers: int
    folder: Path

    def course(self) -> pd.DataFrame:
        """Its course, with its arm and its seed; replayed where it is not there yet."""
        file = self.folder / f"{self.arm}, seed {self.seed}, {self.trials} trials, {self.workers} workers.csv"
        if not file.exists():
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            course = replay(_read(self.table), ARMS[self.arm], self.seed, trials=self.trials, workers=self.workers)
            part = file.with_suffix(".part")
            course.to_csv(part, index=False)
            part.rename(file)
        return pd.read_csv(file).assign(arm=self.arm, seed=self.seed)


@functools.cache
def _read(file: Path) -> Table:
    return Table.read(file)


def replay_all(given: argparse.Namespace, table: Path, console: Console) -> pd.DataFrame:
    """The courses of every arm with every seed, on so many processes."""
    folder = expanded(given.storage_path) / "replays" / sha256(table.read_bytes()).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        Replay(table=table, arm=arm, seed=seed, trials=given.trials, workers=given.workers, folder=folder)
        for seed in range(given.seeds)
        for arm in dict.fromkeys((BASE, *given.arms))
    ]
    with multiprocessing.get_context("forkserver").Pool(given.processes) as pool:
        done = track(pool.imap(Replay.course, jobs), "replaying", total=len(jobs), console=console)
        return pd.concat(list(done), ignore_index=True)


def main() -> None:
    """Make the table, replay all arms, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=40, help="what so many whole runs cost, each search may spend")
    parser.add_argument("--workers", type=int, default=2, help="simulated: trials at once")
    parser.add_argument("--processes", type=int, default=2, help="searches that are replayed at once")
    parser.add_argument(
        "--arms",
        nargs="+",
        metavar="ARM",
        choices=ARMS,
        default=list(ARMS),
        help=f"{BASE} and those named; default: all",
    )
    parser.add_argument("--made-up", action="store_true", help="a made-up table in the place of the measured one")
    parser.add_argument("--storage-path", default=RESULTS)
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    table, console = given.out / f"{NAME}.jsonl", Console()
    try:
        if given.made_up:
            made_up().write(table)
        elif not table.exists():
            make_table(table, given.storage_path, console)
    except (ValueError, ConnectionError) as error:
        sys.exit(f"error: {error}")
    courses = replay_all(given, table, console)
    command = f"python -m measurements.samplers --seeds {given.seeds} --trials {given.trials}"
    write_report(courses, Table.read(table), command, trials=given.trials, workers=given.workers, out=given.out)
    console.print(f"wrote {given.out / NAME}.md")


if __name__ == "__main__":
    main()
