"""An interrupted run goes on: student, teacher, optimizer, random state, step, and the results so far, on disk.

Written by torch's distributed checkpoint, every worker its part; so a run may go on with another number of workers.
"""

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.distributed import checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import (
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from trainables.mean_teacher import Training
from trainables.world import World

RESULTS = "results.json"


def save(folder: Path, training: Training, results: list[dict[str, Any]], world: World) -> None:
    """Write a run's state in the place of an older one, whole or not at all; OSError where it cannot be written."""
    draft = folder.with_name(f".{folder.name}-draft")
    world.on_first(lambda: shutil.rmtree(draft, ignore_errors=True))
    try:
        with _alone_or_not():
            dcp.save(_state(training), checkpoint_id=draft, no_dist=world.size == 1)
    except CheckpointException as error:
        raise OSError(f"the run's state cannot be written: {next(iter(error.failures.values()))[0]}") from None
    world.on_first(lambda: _put_in_place(draft, folder, training.step, results))


def load(folder: Path, training: Training, world: World) -> None:
    """Put a saved state in the place of a run's own."""
    state = _state(training)
    with _alone_or_not():
        dcp.load(state, checkpoint_id=folder, no_dist=world.size == 1)
    set_model_state_dict(training.student, state["student"])
    set_model_state_dict(training.teacher, state["teacher"])
    set_optimizer_state_dict(training.student, training.optimizer, state["optimizer"])
    torch.set_rng_state(state["random"])
    training.step = read_results(folder)[0]


def read_results(folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """Steps done and the results so far; 0 and none where nothing was saved."""
    if not (folder / RESULTS).exists():
        return 0, []
    stored = json.loads((folder / RESULTS).read_text())
    return stored["step"], stored["results"]


@contextmanager
def _alone_or_not() -> Iterator[None]:
    """Without torch's warning that a run on one worker is a run on one worker."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        yield


def _state(training: Training) -> dict[str, Any]:
    return {
        "student": get_model_state_dict(training.student),
        "teacher": get_model_state_dict(training.teacher),
        "optimizer": get_optimizer_state_dict(training.student, training.optimizer),
        "random": torch.get_rng_state(),
    }


def _put_in_place(draft: Path, folder: Path, step: int, results: list[dict[str, Any]]) -> None:
    (draft / RESULTS).write_text(json.dumps({"step": step, "results": results}))
    old = folder.with_name(f".{folder.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
