"""What a trial of a search costs by part, beside another checkout: its steps, each score, and what is around them.

    python -m measurements.trial_parts OTHER_CHECKOUT [--rounds 3]       # some ten minutes; both in this environment

The two run the same trial of the mean teacher in turn, as a warm worker of a search runs it: 60 steps, or --steps,
student and teacher scored behind every 20, on muse-mini as this checkout makes it, on one thread. Counted are the
processor's seconds of the process, of which neighbours take less than of those on the clock. A score's part is its
texts' passes through the model; "the rest of scoring" is intervals and tables, "around it" the weights and the state
that are saved.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EVERY = 20  # steps, behind which student and teacher are scored
STEPS, REST, AROUND = "steps", "the rest of scoring", "around it"
Seconds = Counter[str]


def timed(spent: Seconds, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose seconds are added to a part, and taken from the part in which it is called."""

    def run(*arguments: Any, **options: Any) -> Any:
        began, inner = time.process_time(), spent.total()
        try:
            return function(*arguments, **options)
        finally:
            spent[part] += time.process_time() - began - (spent.total() - inner)

    return run


def measure(where: dict[str, str], steps: int, folder: str) -> dict[str, float]:
    """The seconds of one trial by part, by the checkout that is imported here."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    from trainables.runs import resume, unlearning
    from trainables.task import Task
    from trainables.workers import session

    torch.set_num_threads(1)
    disable_progress_bar()
    spent: Seconds = Counter()
    made: list[Any] = []
    kept = unlearning.Unlearner.__init__

    def begin(own: Any, *arguments: Any) -> None:
        kept(own, *arguments)
        made.append(own)

    unlearning.Unlearner.__init__ = begin  # type: ignore[method-assign]
    run = session.make_session(Task(**where))
    tasks = made[0].loaded.evaluator._tasks
    for prepare, task in tasks.items():
        measured: Any = timed(spent, " and ".join(task.longest), partial(type(task).__call__, task))
        measured.longest = task.longest
        tasks[prepare] = measured
    for holder, name, part in (
        (unlearning.Unlearner, "_score", AROUND),
        (unlearning.Evaluator, "__call__", REST),
        (resume, "save", AROUND),
    ):
        setattr(holder, name, timed(spent, part, getattr(holder, name)))
    trial = {"method": "mean_teacher", "steps": steps, "eval_every": EVERY, "folder": folder}
    timed(spent, STEPS, lambda: list(run(trial)))()
    return dict(spent)


def measured_by(checkout: Path, where: dict[str, str], steps: int) -> dict[str, float]:
    """The seconds of one trial by part, in a process of a checkout."""
    paths = os.pathsep.join(map(str, (checkout, checkout / "platform")))
    with tempfile.TemporaryDirectory(prefix="parts-") as folder:
        told = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, "--here", json.dumps([where, steps, folder])],
            env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
            cwd=checkout,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(told.stdout)


def compare(other: Path, rounds: int, steps: int) -> None:
    """Run the trials, and print the median seconds of each part."""
    from trainables.task import Task, locate

    made = locate(Task(benchmark="muse-mini"))
    where = {"benchmark": made.data, "model": made.target, "retrained": str(made.retrained)}
    pairs = [(measured_by(ROOT, where, steps), measured_by(other, where, steps)) for _ in range(rounds)]
    for part in [*dict.fromkeys(part for pair in pairs for side in pair for part in side), "all"]:
        found = [[side.get(part, 0.0) if part != "all" else sum(side.values()) for side in pair] for pair in pairs]
        ours, theirs = (statistics.median(pair[side] for pair in found) for side in (0, 1))
        ratio = f"{ours / theirs:.2f}" if theirs else "-"
        print(f"{part}: {ours:.2f} s, {theirs:.2f} s there; ratio {ratio}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(measure(*json.loads(sys.argv[2]))))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("other", type=Path)
        parser.add_argument("--rounds", type=int, default=3)
        parser.add_argument("--steps", type=int, default=60)
        flags = parser.parse_args()
        compare(flags.other.resolve(), flags.rounds, flags.steps)
