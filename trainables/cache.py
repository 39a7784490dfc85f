"""What is made once and then read from the cache folder: a benchmark, reference scores. Who finds it writes nothing."""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def made_once(place: Path, make: Callable[[], None]) -> Path:
    """Return a place in the cache, made by `make` where it is not there yet.

    Processes that ask at once wait for one that makes it. A cache that cannot be written to serves where the place is
    in it; ValueError, in one line, where it is not.
    """
    if place.exists():
        return place
    folder = place.parent
    lock = FileLock(folder / f".{place.name}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise ValueError(
            f"the cache ({str(folder)!r}) lacks what has to be made, and cannot be written to ({error.strerror}): "
            "set XDG_CACHE_HOME to a folder to write in"
        ) from None
    try:
        if not place.exists():
            make()
    finally:
        lock.release()
    return place
