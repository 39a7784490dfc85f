"""A task on disk: a benchmark's rows, and a tiny target and retrained model."""

from pathlib import Path

from tiny import tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Splits, write_benchmark
from trainables.subjects.models import save_model
from trainables.task import Task


def tiny_task(home: Path, splits: Splits) -> Task:
    """The task, all of it below a folder."""
    write_benchmark(home / "data", splits)
    for name, seed in (("target", 0), ("retrained", 5)):
        save_model(tiny_model(seed), tiny_tokenizer(), home / name)
    places = {"benchmark": "data", "model": "target", "retrained": "retrained", "cache": "cache"}
    return Task(**{what: str(home / place) for what, place in places.items()})
