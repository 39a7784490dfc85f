"""An interrupted run goes on: student, teacher, optimizer, random state, step, and the results so far, on disk.

Written by torch's distributed checkpoint, every worker its part; so a run may go on with another number of workers. A
state counts from the moment that the progress file names it.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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
from trainables.run_folder import RunFolder
from trainables.world import World

PROGRESS = "progress.json"  # names the newest whole state; what it does not name is rubbish


def save(folder: RunFolder, training: Training, results: list[dict[str, Any]], world: World) -> None:
    """Write a run's state in the place of an older one, whole or not at all; OSError where it cannot be written."""
    name, older = f"state-{training.step:06d}", world.on_first(lambda: _read(folder).get("state"))
    world.on_first(lambda: folder.drop(name))
    try:
        with _alone_or_not():
            dcp.save(_state(training), checkpoint_id=folder.path / name, no_dist=world.size == 1)
    except CheckpointException as error:
        raise OSError(f"the run's state cannot be written: {next(iter(error.failures.values()))[0]}") from None
    world.on_all(lambda: folder.put(name, keep=False))
    world.on_first(lambda: _name(folder, {"step": training.step, "state": name, "results": results}))
    if older:
        world.on_first(lambda: folder.drop(older))


def load(folder: RunFolder, training: Training, world: World) -> None:
    """Put a saved state in the place of a run's own."""
    state, name = _state(training), world.on_first(lambda: _read(folder)["state"])
    world.on_all(lambda: folder.get(name))
    with _alone_or_not():
        dcp.load(state, checkpoint_id=folder.path / name, no_dist=world.size == 1)
    set_model_state_dict(training.student, state["student"])
    set_model_state_dict(training.teacher, state["teacher"])
    set_optimizer_state_dict(training.student, training.optimizer, state["optimizer"])
    torch.set_rng_state(state["random"])
    training.step = int(name.removeprefix("state-"))


def read_results(folder: RunFolder) -> tuple[int, list[dict[str, Any]]]:
    """Steps done and the results so far; 0 and none where nothing was saved."""
    stored = _read(folder)
    return stored.get("step", 0), stored.get("results", [])


def forget(folder: RunFolder) -> None:
    """Remove the state of a run that ended."""
    if state := _read(folder).get("state"):
        folder.drop(PROGRESS)
        folder.drop(state)


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


def _read(folder: RunFolder) -> dict[str, Any]:
    return json.loads((folder.path / PROGRESS).read_text()) if folder.get(PROGRESS) else {}


def _name(folder: RunFolder, progress: dict[str, Any]) -> None:
    """Write what names the state, at one stroke."""
    draft = folder.path / f".{PROGRESS}"
    draft.write_text(json.dumps(progress))
    draft.replace(folder.path / PROGRESS)
    folder.put(PROGRESS)
