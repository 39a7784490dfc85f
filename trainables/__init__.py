"""Unlearning itself: methods and their losses, the MUSE scores, benchmarks, and the Ray adapters that run them.

    from trainables import MeanTeacher, Task, Unlearner, Workers, warm

Names are loaded when they are first used, so importing this package costs nothing.
"""

from importlib import import_module
from typing import Any

EXPORTS = {
    "MeanTeacher": "trainables.methods.mean_teacher",
    "Task": "trainables.task",
    "Unlearner": "trainables.runs.unlearning",
    "unlearn": "trainables.methods",
    "Evaluator": "trainables.scores.evaluate",
    "load_benchmark": "trainables.benchmarks.layout",
    "load_model": "trainables.subjects.models",
    "load_subject": "trainables.subjects.saving",
    "tokenizer_of": "trainables.subjects.saving",
    "greedy": "trainables.decoding.generate",
    "load_tokenizer": "trainables.subjects.tokenizers",
    "make_session": "trainables.workers.session",
    "warm": "trainables.workers.group",
    "Workers": "trainables.workers.group",
}
__all__ = list(EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module 'trainables' has no attribute {name!r}")
    return getattr(import_module(EXPORTS[name]), name)
