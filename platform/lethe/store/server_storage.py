"""An Optuna storage on PostgreSQL that waits out a server which restarts, and lets drivers take turns. Imports no ray.

Every operation is one transaction of Optuna's. One that loses its connection is done again, for at most a minute. It
may have been stored the first time, only its answer being lost: attributes are then written over, a trial's end is
recognised, and a trial that was made twice stays running with nobody to run it, as one of a driver that died, until
the study is resumed.
"""

import functools
import logging
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tenacity
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.pool import NullPool

from lethe.reasons import first_line
from lethe.store.trial_storage import TrialStorage

PATIENCE = 60.0  # seconds that a server may take to come back
CONNECTING = {"connect_timeout": 10, "tcp_user_timeout": 60_000}  # s, ms: a host that vanished is an error, not a wait
LOST = (OperationalError, InterfaceError, PendingRollbackError)
log = logging.getLogger(__name__)


class ServerStorage(TrialStorage):
    """Optuna's storage at a PostgreSQL URL, patient; `shown` is the URL as it may be printed.

    Opening it does not wait: a wrong address is told at once. ConnectionError, in one line, where the server does not
    come back; from then on operations do not wait either, until one succeeds.
    """

    def __init__(self, url: str, shown: str) -> None:
        self._shown = shown
        self._answers = True
        self._patience = 0.0
        with taking_turns(create_engine(url, poolclass=NullPool, connect_args=CONNECTING), "tables"):
            escaped = url.replace("{", "{{").replace("}", "}}")  # Optuna formats it
            super().__init__(escaped, engine_kwargs={"pool_pre_ping": True, "connect_args": CONNECTING})
        weakref.finalize(self, self.engine.dispose)  # its pool would leave connections open
        self._patience = PATIENCE

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """As Optuna's; what was stored already, by a first time that got no answer, is no error."""
        try:
            return self.patiently(super().set_trial_state_values, trial_id, state, values)
        except UpdateFinishedTrialError:
            there = self.get_trial(trial_id)
            if (there.state, there.values) != (state, list(values) if values is not None else None):
                raise
            return True

    def patiently(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Do an operation, again and again while the server does not answer."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_lost),
            stop=tenacity.stop_after_delay(self._patience),
            wait=tenacity.wait_fixed(1),
            before_sleep=lambda _: self._note(),
        )
        try:
            result = retrying(operation, *arguments, **options)
        except tenacity.RetryError as error:
            self._patience = 0.0
            raise ConnectionError(
                f"storage {self._shown!r} does not answer ({_reason(error.last_attempt.exception())}); "
                "what was told is stored, and the same command with --resume goes on"
            ) from None
        self._answers, self._patience = True, PATIENCE
        return result

    def _note(self) -> None:
        if self._answers:
            log.warning("storage %r does not answer; trying again for %.0f s", self._shown, self._patience)
        self._answers = False


@contextmanager
def taking_turns(engine: Engine, what: str) -> Iterator[None]:
    """Keep other drivers out of the same block on the same database; PostgreSQL's lock goes with its connection."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(f"lethe/{what}".encode())})
        yield


def _is_lost(error: BaseException) -> bool:
    """Whether the connection was lost, be it as SQLAlchemy says it or as Optuna passes it on."""
    return isinstance(error.__cause__ if isinstance(error, StorageInternalError) else error, LOST)


def _reason(error: BaseException | None) -> str:
    """What the driver said first, without its type and its hints."""
    said = getattr(error, "orig", None) or getattr(getattr(error, "__cause__", None), "orig", None)
    return first_line(said or error)


def _patient(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def patient(self: ServerStorage, *arguments: Any, **options: Any) -> Any:
        return self.patiently(operation, self, *arguments, **options)

    return patient


_PUBLIC = {name for name in vars(RDBStorage).keys() & vars(BaseStorage).keys() if not name.startswith("_")}
_INNER = {"_create_new_trial", "_set_trial_param", "_get_trials"}  # what Optuna's cache of a storage calls beside them
for _name in (_PUBLIC | _INNER) - vars(ServerStorage).keys():
    setattr(ServerStorage, _name, _patient(getattr(TrialStorage, _name)))
