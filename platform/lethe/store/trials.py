"""What Lethe writes into a trial besides what Optuna does, by the names of its attributes.

A trial's `values` are the losses of the candidate that represents it, so `optuna-dashboard` shows Lethe's studies as
any other. Every scored candidate is a user attribute `candidate/<axis>/<at>/<role>` of its trial.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from lethe.store.places import Place
from lethe.store.storage import open_storage
from lethe.store.urls import hide_password

FAILURE = "failure"  # trial attribute: why a trial failed
INTERRUPTED = "interrupted"
COST = "cost"  # trial attribute: what its run cost so far, in forward passes of a sequence
STOPPED = "stopped"  # trial attribute: where and why it was ended before its end; its candidates count
RUNGS = "rungs"  # trial attribute: what it was told at each rung, null or why it is stopped: {"step 20": null}
RERUN_OF = "rerun_of"  # trial attribute: number of the interrupted trial that this one repeats
RUN = "run"  # trial attribute of a run that was given, not suggested: hash of all that decides what comes of it
TAKEN_FROM = "taken_from"  # trial attribute: "study/number" of the run of the same hash whose results these are
TOLD_FROM = "told_from"  # trial attribute: "study/number" of the trial that it is, known before this study's first own
REPEATS = "repeats"  # trial attribute of a run with another seed: number of the trial whose parameters it has
REPEAT_SEED = "repeat_seed"  # trial attribute of the same: the seed of its run
QUEUED_FROM = "queued_from"  # trial attribute: "study/number" of the trial whose parameters it was begun with
SOURCE = (
    "source"  # trial attribute of an imported run: file, run, protocol, and the line of each candidate by its place
)
CANDIDATE, OLDER = "candidate/", "checkpoint/"  # what its attribute begins with, and once began with
NOTE = "note/"  # study attribute `note/<trial>`: what somebody wrote about a trial
LONGEST_NOTE = 10_000


def candidates(trial: FrozenTrial) -> Iterator[dict[str, Any]]:
    """The scored candidates of a trial, by their place: axis, at, role, scores, cost, weights, items."""
    found = {place_of(key): value for key, value in trial.user_attrs.items()}
    for place in sorted(place for place in found if place):
        yield {**asdict(place), **found[place]}


def candidates_at(trial: FrozenTrial, axis: str, at: float) -> Iterator[dict[str, Any]]:
    """Of a trial's candidates those that stand at one place, whatever their role; no other is parsed."""
    beginning = f"{CANDIDATE}{Place(axis, at, '').key}"
    for key in sorted(key for key in trial.user_attrs if key.startswith(beginning)):
        if place := place_of(key):
            yield {**asdict(place), **trial.user_attrs[key]}


def place_of(attribute: str) -> Place | None:
    """The place of the candidate that an attribute of this name holds; None where it holds something else."""
    for beginning in (CANDIDATE, OLDER):
        if attribute.startswith(beginning):
            return Place.parse(attribute.removeprefix(beginning))
    return None


def as_attribute(candidate: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The trial attribute that holds a candidate, its name and its value: the inverse of `candidates`."""
    place = Place.of(candidate)
    if Place.parse(place.key) != place:
        raise ValueError(f"a candidate stands at {place.key!r}: its axis, its place or its role cannot be a key")
    return f"{CANDIDATE}{place.key}", {k: v for k, v in candidate.items() if k not in asdict(place)}


def is_interrupted(trial: FrozenTrial) -> bool:
    """Whether a trial failed only because its study was interrupted."""
    return trial.state == TrialState.FAIL and trial.user_attrs.get(FAILURE) == INTERRUPTED


def write_note(url: str, name: str, trial: int, note: str) -> None:
    """Store a note about a trial with its study, in the place of the one that was there.

    ValueError, in one line, for a note that is too long and a store that cannot be written to.
    """
    if len(note) > LONGEST_NOTE:
        raise ValueError(f"the note has {len(note)} characters: {LONGEST_NOTE} at most")
    try:
        storage = open_storage(url, patience=5)
        study = optuna.load_study(study_name=name, storage=storage)
        study.set_user_attr(f"{NOTE}{trial}", note)
    except (SQLAlchemyError, sqlite3.Error, optuna.exceptions.OptunaError, KeyError) as error:
        raise ValueError(f"the note cannot be stored in {hide_password(url)!r} ({type(error).__name__})") from None
