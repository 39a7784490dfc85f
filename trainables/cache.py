"""What is made once and then read from the cache folder: a benchmark, reference scores. Who finds it writes nothing."""

import tempfile
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


def folder_made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """The same of a folder, filled by `fill(folder)`: whole or not there, also where that is interrupted."""

    def make() -> None:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as room:
            draft = Path(room) / "draft"  # the room is its owner's alone, the draft is not
            fill(draft)
            draft.rename(folder)

    return made_once(folder, make)
