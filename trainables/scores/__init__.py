"""Scores of a model, a file each: what the contract (score.py) asks for, under one of the names below."""

from collections.abc import Collection
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.scores.score import Score

# A new score is a file here, which holds its own `SCORES`, and its name in this list. Readers see them in this order.
SCORES = (
    *("verbmem", "knowmem_f", "privleak", "knowmem_r", "shared_k", "connected", "rwku", "utility"),
    *(
        "language",
        "worst_request",
        "memorization",
        "memo",
        "answer_prob",
        "leak",
        "mcq",
        "truth_ratio",
        "forget_quality",
        "model_utility",
        "gaps",
        "mia",
    ),
)


def all_scores() -> "dict[str, Score]":
    """Every score there is, by its name; no torch is loaded for it."""
    modules = [import_module(f"trainables.scores.{name}") for name in SCORES]
    return {score.name: score for module in modules for score in module.SCORES}


def searched_scores() -> "dict[str, Score]":
    """Those that may be searched for, and no others."""
    return {name: score for name, score in all_scores().items() if score.card.searched}


def measured_scores(asked: Collection[str] = ()) -> "dict[str, Score]":
    """Those that a search measures: all that may be searched for, but of those on request only what is asked for."""
    return {name: score for name, score in searched_scores().items() if not score.card.on_request or name in asked}
