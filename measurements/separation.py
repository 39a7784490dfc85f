"""Whether muse-mini tells methods apart: mean teacher, ascent, NPO, retain set alone, each tuned a little.

    python -m measurements.separation [--seeds 5] [--processes 2]       # a quarter of an hour on two cores

Every method has a few learning rates and is scored on the way. Of these candidates it is represented by the one with
the lowest mean KnowMem_f that keeps three quarters of the target's KnowMem_r and 80% of its utility; where none does,
by the one that keeps most KnowMem_r. The rule looks at means over seeds; intervals are Student's over seeds, 95%.
"""

import argparse
import copy
import multiprocessing
from dataclasses import replace

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import stats

from measurements.science import SHOWN, load
from trainables.method import Candidate
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.training.data import chunk_texts

DESCENT = MeanTeacher(optimizer="adamw", delta=0.0, damping=0.0, steps=60, eval_every=20)  # no teacher, no damping
METHODS: dict[str, tuple[MeanTeacher, tuple[float, ...]]] = {  # and its learning rates
    "MT + NLUL": (MeanTeacher(steps=40, eval_every=20), (0.05, 0.1)),
    "GA": (replace(DESCENT, forget_loss="ll", penalty="none", steps=30, eval_every=10), (2e-4, 4e-4)),
    "GA + GDR": (replace(DESCENT, forget_loss="ll", penalty="gdr"), (3e-4, 6e-4)),
    "NPO + GDR": (replace(DESCENT, forget_loss="npo_sequence_mean", penalty="gdr"), (3e-4, 1e-3)),
    "retain alone": (replace(DESCENT, alpha=0.0, penalty="gdr"), (1e-3, 3e-3)),
}


def run(job: tuple[str, float, int]) -> list[dict]:
    """Run a method at a rate with a seed: one row for each scored step of the student."""
    method, lr, seed = job
    loaded, config = load(), replace(METHODS[method][0], lr=lr, seed=seed)
    evaluate = loaded.evaluator.with_scores(SHOWN)
    forget, retain = (
        chunk_texts(loaded.tokenizer, loaded.benchmark.texts("raw", split), max_length=config.max_length)
        for split in ("forget", "retain1")
    )
    rows = []
    for record in unlearn(copy.deepcopy(loaded.target), forget, retain, config, pad=loaded.tokenizer.pad_token_id):
        if isinstance(record, Candidate) and record.role == "student":
            scores = {name: score.value for name, score in evaluate(record.subject).scores.items()}
            rows.append({"method": method, "lr": lr, "step": record.at, "seed": seed} | scores)
    return rows


def chosen(table: pd.DataFrame, target: dict[str, list[float]]) -> pd.DataFrame:
    """The rows of the candidate that represents a method: one for each seed."""
    means = table.groupby(["lr", "step"])[list(SHOWN)].mean()
    kept = means[
        (means["knowmem_r"] >= 0.75 * target["knowmem_r"][0]) & (means["utility"] >= 0.8 * target["utility"][0])
    ]
    lr, step = kept["knowmem_f"].idxmin() if len(kept) else means["knowmem_r"].idxmax()
    return table[(table["lr"] == lr) & (table["step"] == step)]


def cell(values: pd.Series) -> str:
    """The mean over seeds and half of its interval."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{values.mean():.1f} ±{half:.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    jobs = [(name, lr, seed) for name, (_, rates) in METHODS.items() for lr in rates for seed in range(arguments.seeds)]
    with multiprocessing.get_context("forkserver").Pool(arguments.processes) as pool:
        found = pd.DataFrame([row for rows in pool.imap(run, jobs) for row in rows])
    references = load().references
    drawn = Table("method", "lr", "step", *SHOWN)
    for name, values in (("target", references.target), ("retrained", references.retrained or {})):
        drawn.add_row(name, "", "", *(f"{values[score][0]:.1f}" for score in SHOWN))
    for name, rows in found.groupby("method", sort=False):
        own = chosen(rows, references.target)
        drawn.add_row(str(name), f"{own['lr'].iloc[0]:g}", str(own["step"].iloc[0]), *(cell(own[s]) for s in SHOWN))
    every = found.groupby(["method", "lr", "step"], sort=False)[list(SHOWN)].mean().round(1).reset_index()
    Console(width=150).print(drawn, "All candidates, means over seeds:", every.to_string(index=False), sep="\n\n")
