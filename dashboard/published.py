"""Published 7B figures that ship with Lethe: candidates to draw into a front, and a paper's runs as a study.

Sources: Shi et al. 2024 (arXiv 2407.06460, its tables of MUSE-News and -Books) and the mean-teacher paper
(arXiv 2504.13388, means of 3 seeds on News and 4 on Books, PrivLeak of one); the runs, epoch by epoch, come from its
author's published logs. They have no intervals.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd

from lethe.fronts.objectives import Constraint, Objective
from lethe.imports.as_tables import as_snapshot
from lethe.imports.paper_logs import read_table
from lethe.store.facts import Facts
from lethe.store.snapshot import Snapshot

FOLDER = Path(__file__).parent / "reference"
CORPORA = ("news", "books")
NEWS_RUNS = "published: mean teacher, MUSE-News 7B"
SOURCE = "arXiv 2407.06460 and 2504.13388"
GOALS = {"verbmem_f": "minimize", "knowmem_f": "minimize", "knowmem_r": "maximize"}
PARAMETERS = ("loss", "penalty", "optimizer", "lr", "alpha", "delta", "begin", "seed")
WORDS = ("loss", "penalty", "optimizer", "begin", "seed")  # those that are no amounts


@cache
def figures(corpus: str) -> pd.DataFrame:
    """The published figures of a corpus: method, its scores, source; with the target and the retrained model."""
    table = pd.read_csv(FOLDER / "muse_7b.csv")
    return table[table["corpus"] == corpus].reset_index(drop=True)


def beside(corpus: str, facts: Facts) -> pd.DataFrame:
    """The published figures of a corpus as they are drawn into a study: without the two models that it measured too."""
    table = figures(corpus)
    own = corpus_of(facts) == corpus
    models = {"target": "7B target", "retrained": "7B retrained"}
    return table[~table["method"].isin(list(facts.references) if own else [])].replace({"method": models})


def corpus_of(facts: Facts) -> str | None:
    """The corpus of MUSE that a study is made on, whose figures belong beside it; None for other benchmarks."""
    name = str(facts.about.get("benchmark", "")).lower()
    return next((corpus for corpus in CORPORA if name.endswith(f"muse-{corpus}")), None)


@cache
def news_runs() -> Snapshot:
    """The mean-teacher paper's own MUSE-News runs, an epoch a candidate, as a study.

    The public code scores the student, with a teacher or without. A run with `begin` warm goes on from the model
    where a run of AdamW ended. MMLU stands for general utility. The target measures 56.3 in the logs' VerbMem, 58.4 in
    the table of arXiv 2407.06460, which the references show.
    """
    rows = read_table(FOLDER / "mean_teacher_news_runs.csv").rows
    shown = [replace(row, parameters={n: row.parameters[n] for n in PARAMETERS}) for row in rows]
    return as_snapshot(NEWS_RUNS, shown, _facts(), dict.fromkeys(WORDS, ("choice", ())))


def _facts() -> Facts:
    rows = figures("news").set_index("method")
    references = {
        name: {score: [float(rows[score][name])] + [float("nan")] * 2 for score in (*GOALS, "privleak")}
        for name in ("target", "retrained")
    }
    return Facts(
        objectives=tuple(Objective(score=score, goal=goal) for score, goal in GOALS.items()),
        constraints=(Constraint(score="utility", floor=0.8 * 40.04),),  # of the target's MMLU
        sampler="",
        seed=0,
        references=references,
        about={"benchmark": "muse-news", "protocol": "muse", "source": SOURCE},
    )
