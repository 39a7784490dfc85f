"""Tasks of lm-evaluation-harness, measured on a subject: a reading a metric, with its interval over items."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

from trainables.failures import reason_of
from trainables.harness.model import HarnessSubject
from trainables.scores.intervals import BEST, mean_interval
from trainables.scores.reductions import Reading


def measure(
    subject: Any,
    tokenizer: Any,
    tasks: Sequence[str],
    *,
    limit: int | None = None,
    num_fewshot: int | None = None,
    batch_size: int = 32,
    include_path: Path | None = None,
) -> dict[str, dict[str, Reading]]:
    """Task -> metric -> reading x100, of the harness's own tasks and those in `include_path`; of groups, their tasks.

    `limit` takes the first so many items of each task. Metrics whose items are not shares of 1, such as perplexities,
    are left out. ValueError, in one line, for a task that is unknown or whose data cannot be had.
    """
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    manager = _manager(tasks, include_path)
    try:
        found = simple_evaluate(
            model=HarnessSubject(subject, tokenizer, batch_size=batch_size),
            tasks=list(tasks),
            num_fewshot=num_fewshot,
            limit=limit,
            bootstrap_iters=0,
            log_samples=True,
            task_manager=manager,
        )
    except (OSError, ConnectionError, ValueError) as error:  # no network, no data, or no positions enough
        raise ValueError(f"tasks {', '.join(tasks)} cannot be measured: {reason_of(error)}") from error
    return {task: _readings(samples) for task, samples in found["samples"].items()}


def _manager(tasks: Sequence[str], include_path: Path | None) -> TaskManager:
    """What knows these tasks; the harness's own, thousands of files, are looked through only where one is asked for."""
    own = TaskManager(include_path=str(include_path), include_defaults=False) if include_path else None
    if own and set(tasks) <= set(own.all_tasks):
        return own
    manager = TaskManager(include_path=str(include_path) if include_path else None)
    unknown = [task for task in tasks if task not in manager.all_tasks]
    if unknown:
        raise ValueError(f"task {unknown[0]!r} is unknown to lm-evaluation-harness {version('lm_eval')}")
    return manager


def _readings(samples: Sequence[Mapping[str, Any]]) -> dict[str, Reading]:
    names = dict.fromkeys(name for sample in samples for name in sample.get("metrics", ()))
    values = {name: np.array([_number(sample.get(name)) for sample in samples]) for name in names}
    return {name: _reading(BEST * own) for name, own in values.items() if ((own >= 0) & (own <= 1)).all()}


def _number(value: Any) -> float:
    """An item's value; NaN, which is no share, for what is no number."""
    return float(value) if isinstance(value, bool | int | float | np.number) else float("nan")


def _reading(values: np.ndarray) -> Reading:
    low, high = mean_interval(values)
    return Reading(value=float(values.mean()), low=low, high=high, n=len(values))
