"""Scores of a model, a file each: what the contract (score.py) asks for, under one of the names below."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.scores.score import Score

# A new score is a file here, which holds its own `SCORES`, and its name in this list. Readers see them in this order.
SCORES = (
    *("verbmem", "knowmem_f", "privleak", "knowmem_r", "shared_k", "utility"),
    *(
        "language",
        "memorization",
        "answer_prob",
        "leak",
        "mcq",
        "truth_ratio",
        "forget_quality",
        "model_utility",
        "mia",
    ),
)


def all_scores() -> "dict[str, Score]":
    """Every score there is, by its name; no torch is loaded for it."""
    modules = [import_module(f"trainables.scores.{name}") for name in SCORES]
    return {score.name: score for module in modules for score in module.SCORES}


def searched_scores() -> "dict[str, Score]":
    """Those that searches measure, and no others: they may be searched for."""
    return {name: score for name, score in all_scores().items() if score.card.searched}
