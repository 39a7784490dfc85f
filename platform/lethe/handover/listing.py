"""The studies of a store, a line each: what is searched, how far it is, and whether somebody runs it."""

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from lethe.analysis.budget import progress
from lethe.search.liveness import DRIVER, DRIVERS, LEFT
from lethe.store.driver import is_gone
from lethe.store.facts import ARENA
from lethe.store.names import arena_name
from lethe.store.optuna_tables import connect, explain, study_names
from lethe.store.queries import select
from lethe.store.snapshot import Reader, Snapshot
from lethe.store.trials import INTERRUPTED

RUNNING, WAITING, DONE, STOPPED, UNKNOWN = "running", "waiting", "done", "stopped", "cannot be read"
RUN_BY = (
    "select s.study_name, a.value_json from studies s join trials t on t.study_id = s.study_id "
    "left join trial_user_attributes a on a.trial_id = t.trial_id and a.\"key\" = :key where t.state = 'RUNNING'"
)
DRIVEN_BY = (
    'select s.study_name, a."key", a.value_json from studies s join study_user_attributes a on a.study_id = s.study_id '
    'where a."key" like :own'
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A study as it is listed; `state` is one of those above, `note` why it cannot be read.

    Waiting is a study of an arena that runs, while none of its own trials does.
    """

    study: str
    arena: str = ""
    method: str = ""
    benchmark: str = ""
    complete: int = 0
    failed: int = 0
    running: int = 0
    planned: int | None = None
    front: int = 0
    state: str = UNKNOWN
    note: str = ""


def list_studies(url: str) -> list[Listed]:
    """Every study of a store, newest first; ValueError in one sentence where the store cannot be read."""
    names, live = study_names(url), live_studies(url)
    listed = [_listed(url, name, lives=name in live) for name in names]
    driven = {study.arena for study in listed if study.arena and study.state == RUNNING}
    return [replace(own, state=WAITING) if own.arena in driven and _rests(own) else own for own in listed]


def live_studies(url: str) -> set[str]:
    """The studies with a driver that is not known to be gone: one of a running trial, or one that has not left."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            runs, drives = select(connection, RUN_BY, key=DRIVER), select(connection, DRIVEN_BY, own=f"{DRIVERS}%")
    except SQLAlchemyError as error:
        raise ValueError(explain(error, url)) from None
    finally:
        engine.dispose()
    running = {(name, str(json.loads(mark)) if mark else "") for name, mark in runs}  # "": not marked yet
    driven = {(name, key.removeprefix(DRIVERS)) for name, key, newest in drives if json.loads(newest) != LEFT}
    return {name for name, driver in running | driven if not is_gone(driver)}


def _rests(study: Listed) -> bool:
    return study.state in (RUNNING, STOPPED) and not study.running


def _listed(url: str, name: str, *, lives: bool) -> Listed:
    try:
        study = Reader(url, name).read()
    except ValueError as error:
        return Listed(study=name, note=str(error))
    return _of(study, lives=lives)


def _of(study: Snapshot, *, lives: bool) -> Listed:
    about: dict[str, Any] = study.facts.about
    states, repeated = study.own_trials["state"], study.own_trials["failure"] == INTERRUPTED
    complete, failed = int((states == "COMPLETE").sum()), int(((states == "FAIL") & ~repeated).sum())
    running = int((states == "RUNNING").sum())
    if ARENA in about:  # a study of one ends with its budget
        done = progress(study, float(about[ARENA]["budget"])).share >= 1
    else:  # what was imported has no plan
        done = study.planned is None or complete + failed >= study.planned
    return Listed(
        study=study.name,
        arena=arena_name(about.get(ARENA)),
        method=str(about.get("method") or ""),
        benchmark=str(about.get("benchmark") or ""),
        complete=complete,
        failed=failed,
        running=running,
        planned=study.planned,
        front=int(study.candidates["front"].sum()) if len(study.candidates) else 0,
        state=RUNNING if lives and (running or not done) else DONE if done else STOPPED,
    )
