"""What waiting costs on a busy machine: a training step of a 1M model, alone and beside processes that never rest.

    python -m measurements.spinning                   # about four minutes, on a machine where nothing else runs
    python -m measurements.spinning --neighbour &     # one such process; how long is `make tune TRIALS=4` beside it?

The step is muse-mini's: a Llama of 4 layers and width 128 on 16 sequences of 96 tokens, forward, backward and AdamW, on
one thread, and on two that wait for one another in several ways: as OpenMP does by itself, asleep at once
(OMP_WAIT_POLICY=passive), or asleep after so many looks (GOMP_SPINCOUNT). Each way has a process of its own, since the
variables are read as torch is loaded. All take turns, round after round, so that what else the machine does meets all
of them. `lethe.cluster.cores` holds the choice that follows. GPUs and other OpenMP libraries are not measured.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lethe.cluster.cores import WAITING

ROWS, TOKENS = 16, 96
NEIGHBOURS = (0, 1, 3)
WAYS = {  # name -> threads and environment
    "1 thread": (1, {}),
    "2 threads, as OpenMP waits by itself": (2, {}),
    "2 threads, OMP_WAIT_POLICY=passive": (2, {"OMP_WAIT_POLICY": "passive"}),
    "2 threads, GOMP_SPINCOUNT=1000": (2, {"GOMP_SPINCOUNT": "1000"}),
    "2 threads, GOMP_SPINCOUNT=10000": (2, {"GOMP_SPINCOUNT": "10000"}),
}
Times = dict[str, dict[int, list[float]]]  # way -> neighbours -> seconds of each step


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that never rest, for the length of the block."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


@contextmanager
def stepping(threads: int, waiting: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that runs steps when asked to: this file as a script, since its package would decide how it waits."""
    kept = {name: value for name, value in os.environ.items() if name not in WAITING}
    root = Path(__file__).parents[1]
    own = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": f"{root}{os.pathsep}{root / 'platform'}"}
    process = subprocess.Popen(
        [sys.executable, __file__, "--steps"],
        env=kept | own | waiting,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ask(process, 0.0)  # it has loaded torch, and run a first step
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(process: "subprocess.Popen[str]", seconds: float) -> list[float]:
    """Have steps run for so long, one at least, and return the seconds of each."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return [float(text) for text in process.stdout.readline().split()]


def run_steps() -> None:
    """What a `stepping` process does: for each line of seconds on its input, steps, and a line of their times."""
    import torch

    from trainables.benchmarks import muse_mini, small_models

    tokenizer = small_models.train_tokenizer([entry.article for entry in muse_mini.make_world(0)["forget"]])
    model = small_models.new_model(tokenizer, seed=0)
    optimizer = torch.optim.AdamW(model.parameters())
    ids = torch.randint(len(tokenizer), (ROWS, TOKENS))
    for line in sys.stdin:
        times: list[float] = []
        while not times or sum(times) < float(line):
            begin = time.perf_counter()
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            times.append(time.perf_counter() - begin)
        print(*times, flush=True)


def measure(rounds: int, seconds: float) -> Times:
    """Every way beside every number of neighbours, round after round."""
    times: Times = {name: {count: [] for count in NEIGHBOURS} for name in WAYS}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(stepping(*way)) for name, way in WAYS.items()}
        for _ in range(rounds):
            for count in NEIGHBOURS:
                with neighbours(count):
                    for name, process in processes.items():
                        times[name][count] += ask(process, seconds)
    return times


def draw(times: Times) -> str:
    """A Markdown table: the median step in ms, and in brackets how many times one thread's alone that is."""
    unit = statistics.median(times["1 thread"][0])
    heads = ["alone", *(f"beside {count}" for count in NEIGHBOURS[1:])]
    lines = [f"| step, ms | {' | '.join(heads)} |", f"|---{'|---' * len(heads)}|"]
    for name, by_count in times.items():
        medians = [statistics.median(by_count[count]) for count in NEIGHBOURS]
        cells = [f"{1000 * median:,.0f} ({median / unit:.2f})" for median in medians]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0, help="of steps, for each way in each round")
    parser.add_argument("--neighbour", action="store_true", help="only keep one core busy, until Ctrl-C or a kill")
    parser.add_argument("--steps", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.steps:
        run_steps()
    elif arguments.neighbour:
        while True:
            pass
    else:
        print(draw(measure(arguments.rounds, arguments.seconds)))
