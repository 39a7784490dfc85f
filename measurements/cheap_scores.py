"""What the scores that need no generation add to an evaluation, and what it saves to read each prompt once.

    python -m measurements.cheap_scores [--rounds 3]          # from the repository's root; under a minute

In one process, on one thread, each part in turn in every round: muse-mini's own target (or another model of its cache)
in batches of 128, as a search scores candidates. "Apart" is a pass over the questions for KnowMem and another for the
scores of answers; "shared" is one for both, as an evaluation does it. Counted is the process's user time, of which
neighbours take less than of that on the clock. Not covered: intervals, tables and GPUs.
"""

import argparse
import copy
import os
import resource
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from trainables.benchmarks.layout import load_benchmark
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import Score
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer
from trainables.task import Task, locate
from trainables.world import ALONE

BATCH = 128
KNOWMEM = ("knowmem_f", "knowmem_r")
TEXTS = "extraction_strength_f"  # which stands for both scores of memorisation


def main() -> None:
    """Prints the seconds of each part, and by how much of an evaluation the cheap scores lengthen it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    places = locate(Task(benchmark="muse-mini"))
    tokenizer, model = load_tokenizer(places.target), load_model(places.target)
    evaluator = Evaluator(load_benchmark(Path(places.data)), tokenizer, PROTOCOLS["muse"], None)
    spent = measure(evaluator, model, rounds)
    for part, seconds in spent.items():
        print(f"{part}: {statistics.median(seconds):.3f} s ({min(seconds):.3f}-{max(seconds):.3f})")
    median = {part: statistics.median(seconds) for part, seconds in spent.items()}
    alone = sum(median[f"{name}, alone"] for name in KNOWMEM)
    base = alone + sum(seconds for part, seconds in median.items() if part in ("verbmem_f", "utility", "privleak"))
    apart, shared = (sum(median[f"{name}, {way}"] for name in KNOWMEM) - alone for way in ("apart", "shared"))
    texts = median[TEXTS]
    print(f"an evaluation without them: {base:.2f} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for way, questions in (("apart", apart), ("shared", shared)):
        print(f"{way}: questions {questions / base:+.1%}, texts {texts / base:+.1%}: {(questions + texts) / base:+.1%}")


def measure(evaluator: Evaluator, model: Any, rounds: int) -> dict[str, list[float]]:
    """Seconds of user time of each part, a number a round; a round before them is not counted."""
    spent: dict[str, list[float]] = defaultdict(list)
    firsts: dict[Any, Score] = {}
    for score in evaluator._scores:
        firsts.setdefault(score.prepare, score)
    for number in range(rounds + 1):
        for prepare, score in firsts.items():
            task = evaluator._tasks[prepare]
            parts = knowmem(score.name, task) if score.name in KNOWMEM else {score.name: task}
            for part, run in parts.items():
                began = user_seconds()
                found = run(model, batch_size=BATCH, world=ALONE)
                if score.name in (TEXTS, "privleak"):
                    score.items(found)
                spent[part] += [user_seconds() - began] * (number > 0)
    return spent


def user_seconds() -> float:
    """User time of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def knowmem(name: str, task: Any) -> dict[str, Any]:
    """KnowMem by itself; it and the answers each in a pass of their own; both in one."""
    read = copy.copy(task)
    read._new_tokens = 1  # the answers' pass writes nothing, but for what the prompts' pass says

    def apart(*arguments: Any, **options: Any) -> None:
        task.knowmem(*arguments, **options)
        read(*arguments, **options)

    return {f"{name}, alone": task.knowmem, f"{name}, apart": apart, f"{name}, shared": task}


if __name__ == "__main__":
    main()
