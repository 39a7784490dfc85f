"""Who drives a study: a driver marks the trials that it runs, and stores heartbeats. Imports no ray.

Several drivers may run trials of one study. Whoever resumes it has to know which of the running trials are of drivers
that died: at once where the driver's process would be here and is not, otherwise where its heartbeat does not change
while one looks. No two clocks are compared.
"""

import functools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from lethe.store.storage import FAILURES

BEAT = 10.0  # seconds between two heartbeats
LOOKS = 5  # looks, a beat apart, after which a driver that stored none is taken for dead
TICKS = "ticks-"  # in a mark, before a start that is counted from the machine's own
SLACK = 60.0  # seconds by which a start may seem to move that is told by the clock, where the clock is set
log = logging.getLogger(__name__)


@functools.cache
def this_driver() -> str:
    """The mark of this process: where its number means something, the number, and when it started."""
    return f"{_place()} {os.getpid()} {_start(psutil.Process())}"


def is_gone(driver: str) -> bool:
    """Whether a driver's process would be here, and is no more.

    A mark of earlier versions tells the start by the clock: where that differs by a little, and so may be the driver's
    or another's that took over its number, it is not known to be gone, and who asks looks for heartbeats.
    """
    try:
        place, number, started = driver.rsplit(" ", 2)
        if place != _place():
            return False
        process = psutil.Process(int(number))
        return process.status() == psutil.STATUS_ZOMBIE or not _may_have_started(process, started)
    except ValueError:  # no mark of a driver
        return False
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return True


def _may_have_started(process: psutil.Process, started: str) -> bool:
    if started.startswith(TICKS):
        return _start(process) == started
    return abs(process.create_time() - float(started)) <= SLACK


def _start(process: psutil.Process) -> str:
    """When a process started: on Linux in ticks since the boot, which stay what they are when the clock is set."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not Path("/proc/self/stat").exists():
        return str(process.create_time())
    return TICKS + stat.read_text().rpartition(")")[2].split()[19]  # field 22; the second, its name, may hold spaces


def silent(drivers: Set[str], look: Callable[[], Mapping[str, Any]]) -> set[str]:
    """Those of `drivers` that are dead: their process is gone, or `look` sees no new heartbeat.

    `look` returns the newest heartbeat of every driver. Takes no time where all are gone, else until each of the others
    stored one, or LOOKS beats.
    """
    gone = {driver for driver in drivers if driver and is_gone(driver)}
    quiet = set(drivers) - gone
    if not quiet:
        return gone
    log.warning("waiting for heartbeats of the drivers whose trials run, for at most %.0f s", LOOKS * BEAT)
    before = look()
    for _ in range(LOOKS):
        if not quiet:
            break
        time.sleep(BEAT)
        newest = look()
        quiet = {driver for driver in quiet if newest.get(driver) == before.get(driver)}
    return gone | quiet


def now() -> str:
    """What a heartbeat says: the time, by this machine's clock."""
    return datetime.now(UTC).isoformat()


@contextmanager
def heartbeats(store: Callable[[str], None]) -> Iterator[None]:
    """Store the time, by a thread, every BEAT seconds for as long as the block lasts."""
    ended = threading.Event()

    def live() -> None:
        while True:
            with suppress(ConnectionError, *FAILURES):  # who works with the storage will tell; it may come back
                store(now())
            if ended.wait(BEAT):
                return

    thread = threading.Thread(target=live, name="lethe-heartbeats", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(BEAT)


@functools.cache
def _place() -> str:
    """The host, and on Linux the boot and the namespace within which process numbers are unique."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    inside = f" {boot.read_text().strip()} {namespace.stat().st_ino}" if boot.exists() and namespace.exists() else ""
    return socket.gethostname().replace("_", "-") + inside
