"""Ray's start: again where a busy machine was too slow for it, and in one line where it cannot be.

Ray gives a node that it starts 30 seconds, which no setting lengthens (ray/_private/node.py in 2.60). Where that
is too short it raises, and does not end the processes that it has started.
"""

import logging
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import ray
import tenacity

from lethe.cluster.environment import ray_folder
from lethe.reasons import first_line

TRIES = 4
ANSWER_S = 30.0  # for a cluster's address to answer
log = logging.getLogger(__name__)
shielding = Event()  # set while Ray starts processes, which are to ignore SIGINT
os.register_at_fork(after_in_child=lambda: shielding.is_set() and signal.signal(signal.SIGINT, signal.SIG_IGN))


def start(**arguments: Any) -> None:
    """Start a node of Ray's here, by `ray.init`.

    ValueError where Ray's files cannot lie where they should; ConnectionError where the node does not come up, also
    when it is tried again. Both are one line.
    """
    before = set(_sessions())

    def again(state: tenacity.RetryCallState) -> None:
        for folder in set(_sessions()) - before:
            shutil.rmtree(folder, ignore_errors=True)
        number = state.attempt_number + 1
        log.warning("Ray did not start in time, as happens on a busy machine: try %d of %d", number, TRIES)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(TRIES),
        before_sleep=again,
        reraise=True,
    )
    try:
        retrying(_start_once, **arguments)
    except ValueError:
        raise
    except Exception as error:
        if not _may_pass(error):
            raise ValueError(_about_its_place(error)) from error
        logs = "".join(f" (see {folder}/logs)" for folder in set(_sessions()) - before)
        raise ConnectionError(f"Ray did not start here in {TRIES} tries: {first_line(error)}{logs}") from error


def join(**arguments: Any) -> None:
    """Join the cluster that RAY_ADDRESS names, by `ray.init`; ConnectionError, in one line, where that cannot be."""
    address = os.environ["RAY_ADDRESS"]
    try:
        _await_answer(address)
        _init(**arguments)
    except Exception as error:
        raise ConnectionError(f"the cluster at RAY_ADDRESS={address} cannot be joined: {first_line(error)}") from error


def _await_answer(address: str) -> None:
    """OSError where nothing listens at HOST:PORT: Ray would knock for a quarter of an hour, and print each time."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto", or what Ray refuses by itself
    patiently = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(OSError),
        stop=tenacity.stop_after_delay(ANSWER_S),
        wait=tenacity.wait_fixed(1),
        reraise=True,
    )
    patiently(socket.create_connection, (host.strip("[]"), int(port)), ANSWER_S).close()


def _start_once(**arguments: Any) -> None:
    """One start, of which nothing is left where it fails or is interrupted."""
    before = set(psutil.Process().children(recursive=True))
    try:
        _init(**arguments)
    except BaseException:
        left = [child for child in psutil.Process().children(recursive=True) if child not in before and _is_rays(child)]
        for process in left:
            with suppress(psutil.NoSuchProcess):  # it has ended by itself since
                process.kill()
        psutil.wait_procs(left, timeout=10)
        raise


def _init(**arguments: Any) -> None:
    """`ray.init`, which Ctrl-C interrupts, and after which the signals of this process are its own as before.

    What Ray starts here ignores SIGINT: Ctrl-C on a terminal reaches it too, and Ray's groups wait ten seconds for a
    dashboard that died of it. To block it, as Ray does, is not enough, for Python's multiprocessing unblocks it. And
    Ray puts a sys.exit on SIGTERM, which would lose what runs.
    """
    on_sigterm = signal.getsignal(signal.SIGTERM)
    shielding.set()
    try:
        ray.init(**arguments)
    except BaseException:
        ray.shutdown()
        raise
    finally:
        shielding.clear()
        signal.signal(signal.SIGTERM, on_sigterm)


def _is_rays(process: psutil.Process) -> bool:
    """Whether Ray started a process: by the program, or the title that Ray gave it; one without has only begun."""
    try:
        title = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return not title or title.startswith("ray") or str(Path(ray.__file__).parent) in title


def _may_pass(error: BaseException) -> bool:
    """Whether another start may do better: not where something about the place or the request is wrong."""
    if isinstance(error, ValueError) or not isinstance(error, Exception):
        return False
    return not isinstance(error, OSError) or isinstance(error, (ConnectionError, TimeoutError))


def _about_its_place(error: Exception) -> str:
    folder = str(ray_folder().parent)
    return f"Ray cannot start with its files in {folder!r}: {first_line(error)} (RAY_TMPDIR names another folder)"


def _sessions() -> Iterator[Path]:
    """The folders of the nodes that this process started."""
    return ray_folder().glob(f"session_*_{os.getpid()}")
