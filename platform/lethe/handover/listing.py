"""The studies of a store, a line each: what is searched, how far it is, and whether somebody runs it."""

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from lethe.analysis.budget import progress
from lethe.search.liveness import DRIVER
from lethe.store.driver import is_gone
from lethe.store.facts import ARENA
from lethe.store.names import arena_name
from lethe.store.optuna_tables import connect, explain, study_names
from lethe.store.queries import select
from lethe.store.snapshot import Reader, Snapshot
from lethe.store.trials import INTERRUPTED

RUNNING, WAITING, DONE, STOPPED, UNKNOWN = "running", "waiting", "done", "stopped", "cannot be read"
QUERY = (
    "select s.study_name, a.value_json from studies s join trials t on t.study_id = s.study_id "
    "left join trial_user_attributes a on a.trial_id = t.trial_id and a.\"key\" = :key where t.state = 'RUNNING'"
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A study as it is listed; `state` is one of those above, `note` why it cannot be read.

    Waiting is a study of an arena that runs trials of others just now.
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
    names, drivers = study_names(url), drivers_of(url)
    listed = [_listed(url, name, drivers.get(name, set())) for name in names]
    driven = {study.arena for study in listed if study.arena and study.state == RUNNING}
    return [replace(own, state=WAITING) if own.arena in driven and own.state == STOPPED else own for own in listed]


def drivers_of(url: str) -> dict[str, set[str]]:
    """Study -> the marks of the drivers of its running trials; "" stands for one that has not marked its trial yet."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            rows = select(connection, QUERY, key=DRIVER)
    except SQLAlchemyError as error:
        raise ValueError(explain(error, url)) from None
    finally:
        engine.dispose()
    found: dict[str, set[str]] = {}
    for name, mark in rows:
        found.setdefault(name, set()).add(str(json.loads(mark)) if mark else "")
    return found


def _listed(url: str, name: str, drivers: set[str]) -> Listed:
    try:
        study = Reader(url, name).read()
    except ValueError as error:
        return Listed(study=name, note=str(error))
    return _of(study, drivers)


def _of(study: Snapshot, drivers: set[str]) -> Listed:
    about: dict[str, Any] = study.facts.about
    states, repeated = study.own_trials["state"], study.own_trials["failure"] == INTERRUPTED
    complete, failed = int((states == "COMPLETE").sum()), int(((states == "FAIL") & ~repeated).sum())
    lives = any(not is_gone(driver) for driver in drivers)
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
        running=int((states == "RUNNING").sum()),
        planned=study.planned,
        front=int(study.candidates["front"].sum()) if len(study.candidates) else 0,
        state=RUNNING if lives else DONE if done else STOPPED,
    )
