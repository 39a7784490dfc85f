"""A benchmark that is made here is made once, into a folder whose name tells its seed and the code that makes it.

muse-mini does so for itself: its folder's name is a hash of its own files, which stay what they are.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from trainables.cache import made_once


def prepare(name: str, seed: int, sources: Sequence[Path], cache: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder of a benchmark, filled by `make(folder)` where `cache` does not have it yet.

    `sources` are the files of the code that decides what it holds: other code makes another folder. Processes that ask
    at once wait for one that makes it, and one that is interrupted leaves no half folder.
    """
    folder = cache / f"{name}-{seed}-{code_hash(sources)}"

    def fill() -> None:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=cache) as room:
            draft = Path(room) / "draft"  # the room is its owner's alone, the draft is not
            make(draft)
            draft.rename(folder)

    return made_once(folder, fill)


def code_hash(sources: Sequence[Path]) -> str:
    """Hash of what stands in files."""
    return hashlib.sha256("".join(file.read_text("utf-8") for file in sources).encode()).hexdigest()[:10]
