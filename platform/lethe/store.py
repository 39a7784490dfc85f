"""The study store: an Optuna storage, and how Lethe writes a study into it and reads it back. Imports no ray.

A trial's `values` are the losses of the checkpoint that represents it, so `optuna-dashboard` shows Lethe's studies as
any other. Every scored checkpoint is a user attribute `checkpoint/<step>/<role>` of its trial; what holds for the
whole study (objectives, constraints, reference rows, seed, versions) is one user attribute `lethe` of the study.
"""

import os
import re
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import optuna
import pandas as pd
from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lethe import pareto
from lethe.objectives import Constraint, Objective, finite_score, losses, violations
from lethe.reasons import first_line
from lethe.server_storage import ServerStorage
from lethe.server_storage import taking_turns as taking_turns_on

RESULTS = "~/lethe-results"  # where studies are kept, if nothing else is said
VARIABLE = "LETHE_STORAGE"  # a URL may hold a password: by the environment it is on no command line
FACTS = "lethe"
FAILURE = "failure"  # trial attribute: why a trial failed
RERUN_OF = "rerun_of"  # trial attribute: number of the interrupted trial that this one repeats
INTERRUPTED = "interrupted"
RUN = "run"  # trial attribute of a run that was given, not suggested: hash of all that decides what comes of it
TAKEN_FROM = "taken_from"  # trial attribute: "study/number" of the run of the same hash whose results these are
SQLITE = "sqlite:///"
POSTGRESQL = re.compile(r"postgres(ql)?(\+psycopg)?://")  # as people write it
PLANNED = "planned"  # study attribute: how many trials were asked for
NOTE = "note/"  # study attribute `note/<trial>`: what somebody wrote about a trial
LONGEST_NOTE = 10_000
REFERENCE_NOTES = "notes"  # in a study's facts: what was seen of its texts and reference models as they were read
ROLES = ("student", "teacher")  # the models of a trial, each scored at every evaluation
FAILURES = (SQLAlchemyError, StorageInternalError, sqlite3.Error)  # what a write to a store raises
CHECKPOINT = re.compile(r"checkpoint/(\d+)/(\w+)")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What holds for a whole study, stored with it."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: str
    seed: int
    references: dict[str, dict[str, list[float]]] = field(
        default_factory=dict
    )  # "target" -> score -> [value, low, high]
    about: dict[str, Any] = field(default_factory=dict)  # benchmark, protocol, model, settings, versions, notes
    id: str = ""  # which no other study has, in any store; "" in studies of older versions

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Facts":
        """The inverse of `to_json`."""
        objectives = tuple(Objective(**o) for o in data["objectives"])
        constraints = tuple(Constraint(**c) for c in data["constraints"])
        return cls(**(data | {"objectives": objectives, "constraints": constraints}))


def new_id() -> str:
    """An id for a new study."""
    return uuid.uuid4().hex[:8]


def open_storage(url: str, *, patience: int = 60) -> RDBStorage:
    """Open, or make, the storage at an SQLAlchemy URL; ValueError in one line where that cannot be done.

    `patience` is how many seconds a write to SQLite waits for another program's to end.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file = sqlite_file(url)
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(file.with_name(f".{file.name}.lock")):  # one maker of its tables at a time
                _log_ahead(file)
                return RDBStorage(sqlite_url(file), engine_kwargs={"connect_args": {"timeout": patience}})
        if POSTGRESQL.match(url):
            return ServerStorage(server_url(url), hide_password(url))
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except (*FAILURES, OSError, ImportError, ValueError, RuntimeError) as error:  # of other tables: RuntimeError
        raise unopened(url, _reason(error, url)) from None


def unopened(url: str, reason: str) -> ValueError:
    """The one line for a store that cannot be opened."""
    return ValueError(
        f"storage {hide_password(url)!r} cannot be opened ({reason}): give sqlite:///FILE or a PostgreSQL URL"
    )


def check_writable(url: str) -> None:
    """ValueError where a store is a file, which is there, that cannot be written to."""
    file = sqlite_file(url)
    if file is not None and not os.access(file, os.W_OK):
        raise ValueError(f"storage {url!r} cannot be written to: it is read-only")


@contextmanager
def going_on_later(url: str) -> Iterator[None]:
    """A block in whose middle a store may fail, as where its disk is full; ConnectionError, in one line, where it does.

    What was told before is stored: who runs a study in the block may go on with it.
    """
    try:
        yield
    except FAILURES as failure:
        raise ConnectionError(
            f"storage {hide_password(url)!r} failed ({why(failure)}); what was told is stored, and the same command "
            "with --resume goes on"
        ) from failure


def why(failure: BaseException) -> str:
    """Why a store failed, in one line; of Optuna's and SQLAlchemy's own errors that is their cause."""
    cause = failure.__cause__ or failure
    return first_line(getattr(cause, "orig", None) or cause)


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite store; None for a server's URL, ValueError for one with options or without a file."""
    if not re.match(r"sqlite\W", url):
        return None
    place = url.removeprefix(SQLITE)
    if place in ("sqlite://", "", ":memory:"):
        raise unopened(url, "it names no file, and would be lost with this process")
    if place == url:
        raise unopened(url, f"a file is named by {SQLITE} and nothing else")
    if "?" in place:
        raise ValueError(
            f"storage {url!r} has options behind its question mark, which Lethe sets itself: leave them out, and write "
            "%3F for the question mark of a path"
        )
    return Path(unquote(place)).absolute()


def sqlite_url(file: Path) -> str:
    """The URL of a file, the inverse of `sqlite_file`: what means something to SQLAlchemy or to Optuna is quoted."""
    return SQLITE + re.sub("[%?{}]", lambda sign: quote(sign[0]), str(file))


def server_url(url: str) -> str:
    """A PostgreSQL URL as people write it, with the driver that Lethe brings; any other URL as it is."""
    given = POSTGRESQL.match(url)
    return f"postgresql+psycopg://{url[given.end() :]}" if given else url


def taking_turns(storage: BaseStorage, what: str) -> AbstractContextManager[None]:
    """A block that one driver at a time is in, where the storage is one that drivers share."""
    return taking_turns_on(storage.engine, what) if isinstance(storage, ServerStorage) else nullcontext()


def hide_password(url: str) -> str:
    """Return a storage URL without its password, be it before the host or an option behind it.

    All between the first colon and the last @ is taken for the password, for one that was not escaped.
    """
    if url.startswith(SQLITE):
        return url
    url = re.sub(r"(://[^:/]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"(password=)[^&]*", r"\1***", url, flags=re.IGNORECASE)


def _reason(error: Exception, url: str) -> str:
    """Why a storage does not open, in one line, if it quotes nothing that is hidden of the URL."""
    reason = first_line(error)
    quotes = isinstance(error, ValueError | ArgumentError) or "@" in reason
    return type(error).__name__ if quotes and hide_password(url) != url else reason


def default_storage(folder: str = RESULTS) -> str:
    """The storage URL of a results folder: its file `studies.db`."""
    return sqlite_url(Path(folder).expanduser().resolve() / "studies.db")


def study_names(url: str) -> list[str]:
    """Names of the studies in a storage."""
    return optuna.get_all_study_names(open_storage(url))


def load_study(url: str, name: str) -> optuna.Study:
    """Open a study; ValueError where the storage does not have it, naming those it has."""
    names = study_names(url)
    if name not in names:
        raise ValueError(f"storage {hide_password(url)!r} has no study {name!r} (there: {', '.join(names) or 'none'})")
    return optuna.load_study(study_name=name, storage=open_storage(url))


def load_facts(study: optuna.Study) -> Facts:
    """Read a study's facts; ValueError where it is not a study of Lethe's."""
    facts = study.user_attrs.get(FACTS)
    if facts is None:
        raise ValueError(f"study {study.study_name!r} was not made by Lethe")
    return Facts.from_json(facts)


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


def checkpoints(trial: FrozenTrial) -> Iterator[dict[str, Any]]:
    """The scored checkpoints of a trial, by step: role, step, scores, weights, items."""
    named = ((CHECKPOINT.fullmatch(key), value) for key, value in trial.user_attrs.items())
    found = [(int(match[1]), match[2], value) for match, value in named if match]
    for step, role, value in sorted(found, key=lambda entry: entry[:2]):
        yield {"step": step, "role": role, **value}


def is_interrupted(trial: FrozenTrial) -> bool:
    """Whether a trial failed only because its study was interrupted."""
    return trial.state == TrialState.FAIL and trial.user_attrs.get(FAILURE) == INTERRUPTED


def read_points(study: optuna.Study, facts: Facts) -> pd.DataFrame:
    """One row for each scored checkpoint of every trial that is complete or running.

    Columns: trial, state, step, role, each parameter, each score with `_low` and `_high`, `feasible`, `front`,
    `weights`, `items`. The front is that of complete trials; points with a score missing or not finite are left out.
    """
    rows = [
        _row(trial, point, facts)
        for trial in study.get_trials(deepcopy=False)
        if trial.state in (TrialState.COMPLETE, TrialState.RUNNING)
        for point in checkpoints(trial)
        if _is_scored(facts, point["scores"])
    ]
    table = pd.DataFrame(rows)
    if len(table):
        candidates = table["feasible"].to_numpy(bool) & (table["state"] == TrialState.COMPLETE.name).to_numpy(bool)
        table["front"] = pareto.front(loss_array(table, facts.objectives), candidates)
    return table


def loss_array(table: pd.DataFrame, objectives: Sequence[Objective]) -> np.ndarray:
    """Losses [points, objectives] of a table of points."""
    return np.stack([o.loss(table[o.score].to_numpy(float)) for o in objectives], axis=-1)


def _row(trial: FrozenTrial, point: dict[str, Any], facts: Facts) -> dict[str, Any]:
    row = {"trial": trial.number, "state": trial.state.name, "step": point["step"], "role": point["role"]}
    row |= trial.params
    for name, (value, low, high) in point["scores"].items():
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    row["feasible"] = all(v <= 0 for v in violations(facts.constraints, point["scores"]).values())
    return row | {"weights": point.get("weights"), "items": point.get("items")}


def _is_scored(facts: Facts, scores: dict[str, Any]) -> bool:
    try:
        losses(facts.objectives, scores)
        [finite_score(scores, c.score) for c in facts.constraints]
    except ValueError:
        return False
    return True


def _log_ahead(file: Path) -> None:
    """Turn on write-ahead logging, so that readers never block the search."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
