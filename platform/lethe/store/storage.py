"""Optuna's storage, opened by its URL, and what may go wrong with it, in one line. Imports no ray.

SQLite in WAL mode where one machine works, PostgreSQL where drivers share a study.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import optuna
from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lethe.reasons import first_line
from lethe.store.server_storage import ServerStorage
from lethe.store.server_storage import taking_turns as taking_turns_on
from lethe.store.trial_storage import TrialStorage
from lethe.store.urls import POSTGRESQL, hide_password, server_url, sqlite_file, sqlite_url, unopened

Read = TypeVar("Read")
FAILURES = (SQLAlchemyError, StorageInternalError, sqlite3.Error)  # what a write to a store raises


def open_storage(url: str, *, patience: int = 60) -> RDBStorage:
    """Open, or make, the storage at an SQLAlchemy URL; ValueError in one line where that cannot be done.

    `patience` is how many seconds a write to SQLite waits for another program's to end.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file = sqlite_file(url)
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            with _lock(file):  # one maker of its tables at a time
                _log_ahead(file)
                return TrialStorage(sqlite_url(file), engine_kwargs={"connect_args": {"timeout": patience}})
        if POSTGRESQL.match(url):
            return ServerStorage(server_url(url), hide_password(url))
        return TrialStorage(url, engine_kwargs={"pool_pre_ping": True})
    except (*FAILURES, OSError, ImportError, ValueError, RuntimeError) as error:  # of other tables: RuntimeError
        raise unopened(url, _reason(error, url)) from None


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


def taking_turns(storage: BaseStorage, what: str) -> AbstractContextManager[None]:
    """A block that one driver at a time is in, where drivers may share the storage: a server's, or a file's.

    Of a file all blocks take turns with each other, whatever they are for.
    """
    if isinstance(storage, ServerStorage):
        return taking_turns_on(storage.engine, what)
    file = sqlite_file(storage.url) if isinstance(storage, TrialStorage) else None
    return nullcontext() if file is None else _lock(file)


def patiently(storage: BaseStorage, reading: Callable[[], Read]) -> Read:
    """Read something by a storage's engine, as patiently as the storage itself is read."""
    return storage.patiently(reading) if isinstance(storage, ServerStorage) else reading()


def _reason(error: Exception, url: str) -> str:
    """Why a storage does not open, in one line, if it quotes nothing that is hidden of the URL."""
    reason = first_line(error)
    quotes = isinstance(error, ValueError | ArgumentError) or "@" in reason
    return type(error).__name__ if quotes and hide_password(url) != url else reason


def load_study(url: str, name: str) -> optuna.Study:
    """Open a study; ValueError where the storage does not have it, naming those it has."""
    storage = open_storage(url)
    names = optuna.get_all_study_names(storage)
    if name not in names:
        raise ValueError(f"storage {hide_password(url)!r} has no study {name!r} (there: {', '.join(names) or 'none'})")
    return optuna.load_study(study_name=name, storage=storage)


def _lock(file: Path) -> AbstractContextManager[Any]:
    """The lock of a store's file; a block within a block of the same thread has it already."""
    return FileLock(file.with_name(f".{file.name}.lock"), is_singleton=True)


def _log_ahead(file: Path) -> None:
    """Turn on write-ahead logging, so that readers never block the search."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
