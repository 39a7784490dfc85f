"""How long a step, an evaluation and a command's help take, beside another checkout; and what a change of method costs.

    python -m measurements.beside OTHER_CHECKOUT       # 15 to 25 minutes on two quiet cores; both in this environment

The two run the same commands in turn on muse-mini as this checkout makes it, on one thread. A step is what 40 more
steps take, an evaluation of student and teacher what 4 more of them take. Counted are the processor's seconds of whole
processes, of which neighbours take less than of those on the clock. The change of method: runs of one step on a tiny
model in one process, method after method, against the same runs sorted by method.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FEW, MANY = 5, 45  # steps
METHODS = ("mean_teacher", "npo_gdr", "rmu_adaptive")


def seconds(checkout: Path, flags: Iterable[str]) -> float:
    """The processor's seconds of a command of a checkout."""
    paths = os.pathsep.join(map(str, (checkout, checkout / "platform")))
    code = "from lethe_cli.main import main; main()"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *flags],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        cwd=checkout,
        capture_output=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def train(checkout: Path, where: list[str], steps: int, every: int) -> float:
    """The seconds of a run."""
    with tempfile.TemporaryDirectory(prefix="beside-") as out:
        sets = ["--set", f"steps={steps}", "--set", f"eval_every={every}"]
        return seconds(checkout, ["train", *where, *sets, "--out", f"{out}/run", "--json"])


def a_round(checkout: Path, where: list[str]) -> dict[str, float]:
    """One measurement of each kind."""
    few, many, often = (train(checkout, where, *run) for run in ((FEW, FEW), (MANY, MANY), (FEW, 1)))
    return {
        "a step": (many - few) / (MANY - FEW),
        "an evaluation of two models": (often - few) / (FEW - 1),
        "lethe --help": seconds(checkout, ["--help"]),
    }


def changes_of_method(folder: Path, rounds: int = 20) -> tuple[float, float]:
    """Median seconds of a run whose method is not the last one's, and of the same runs where it is."""
    from searching import make_tiny
    from transformers.utils.logging import disable_progress_bar

    from trainables.methods import find_method
    from trainables.runs.unlearning import Unlearner
    from trainables.task import Task

    disable_progress_bar()
    unlearner = Unlearner(Task(**make_tiny(folder).places()))

    def run(name: str) -> float:
        began = time.process_time()
        list(unlearner(find_method(name).settings(steps=1, batch_size=2), folder / "run"))
        return time.process_time() - began

    for name in METHODS:
        run(name)
    changing = [run(name) for _ in range(rounds) for name in METHODS]
    sorted_by = [run(name) for name in METHODS for _ in range(rounds)]
    return statistics.median(changing), statistics.median(sorted_by)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    sys.path[:0] = [str(ROOT / "tests" / "helpers")]
    from trainables.task import Task, locate

    flags = parser.parse_args()
    made = locate(Task(benchmark="muse-mini"))
    where = ["--benchmark", made.data, "--model", made.target, "--retrained", str(made.retrained)]
    pairs = [(a_round(ROOT, where), a_round(flags.other.resolve(), where)) for _ in range(flags.rounds)]
    for what in pairs[0][0]:
        ours, theirs = ([pair[side][what] for pair in pairs] for side in (0, 1))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        print(
            f"{what}: {statistics.median(ours):.3f} s, {statistics.median(theirs):.3f} s there; ratio "
            f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        )
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        changing, same = changes_of_method(Path(folder))
    print(
        f"a run of one step on a tiny model: {changing:.3f} s where the method changes, {same:.3f} s where it does not"
    )
