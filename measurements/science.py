"""What each part of mean-teacher unlearning does on muse-mini: three recipes, several seeds, one table.

    python -m measurements.science [--seeds 3] [--processes 2]          # about a minute on two cores

The recipes run the same steps on the same batches. Beside them stand the target and the retrained model. A test holds
the order of what this prints, not the digits. Other recipes than these three, and how sure a difference between them
is, are not looked at here.
"""

import argparse
import copy
import functools
import multiprocessing
from dataclasses import replace

import torch
from rich.console import Console
from rich.table import Table
from transformers.utils.logging import disable_progress_bar

from trainables.method import Candidate
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.runs.unlearning import Loaded, load_task
from trainables.task import Task
from trainables.training.data import chunk_texts

BASE = MeanTeacher(lr=0.1, steps=20, eval_every=20)
RECIPES = {
    "MT + NLUL": BASE,
    "MT + LL": replace(BASE, forget_loss="ll"),
    "NLUL, no teacher, no damping": replace(BASE, delta=0.0, damping=0.0, penalty="none"),
}
SHOWN = ("verbmem_f", "knowmem_f", "privleak", "knowmem_r", "utility")
Scores = dict[str, float]


@functools.cache
def load() -> Loaded:
    """What a process runs one recipe after another on."""
    torch.set_num_threads(1)
    disable_progress_bar()
    return load_task(Task(benchmark="muse-mini"))


def run(job: tuple[str, int, tuple[str, ...]]) -> tuple[str, int, Scores]:
    """Run one recipe with one seed, and return these scores of its student: of the last and only one."""
    recipe, seed, shown = job
    loaded, config = load(), replace(RECIPES[recipe], seed=seed)
    forget, retain = (
        chunk_texts(loaded.tokenizer, loaded.benchmark.texts("raw", split), max_length=config.max_length)
        for split in ("forget", "retain1")
    )
    records = unlearn(copy.deepcopy(loaded.target), forget, retain, config, pad=loaded.tokenizer.pad_token_id)
    student = next(record.subject for record in records if isinstance(record, Candidate) and record.role == "student")
    scores = loaded.evaluator.with_scores(shown)(student).scores
    return recipe, seed, {name: scores[name].value for name in shown}


def run_all(seeds: int, processes: int, shown: tuple[str, ...] = SHOWN) -> dict[str, list[Scores]]:
    """Run every recipe with every seed: recipe -> scores by seed. "target" and "retrained" have one entry each."""
    jobs = [(recipe, seed, shown) for seed in range(seeds) for recipe in RECIPES]
    references = load_task(Task(benchmark="muse-mini")).references
    results: dict[str, list[Scores]] = {
        "target": [{name: references.target[name][0] for name in shown}],
        "retrained": [{name: (references.retrained or {})[name][0] for name in shown}],
    }
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trainables.runs.unlearning"])  # its libraries are loaded once for all processes
    with context.Pool(processes) as pool:
        for recipe, _, scores in pool.map(run, jobs, chunksize=1):
            results.setdefault(recipe, []).append(scores)
    return results


def draw(results: dict[str, list[Scores]]) -> Table:
    """Draw the mean over seeds and, behind it, the smallest and the largest."""
    table = Table("recipe", *SHOWN)
    for recipe, scores in results.items():
        cells = []
        for name in SHOWN:
            values = [by_seed[name] for by_seed in scores]
            spread = f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""
            cells.append(f"{sum(values) / len(values):.1f}{spread}")
        table.add_row(recipe, *cells)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    Console(width=150).print(draw(run_all(arguments.seeds, arguments.processes)))
