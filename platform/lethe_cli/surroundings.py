"""What a command finds around it, checked before it begins: home, working folder, cache, room for Ray's sockets.

Every function returns what it checked, and raises ValueError with one line: what is wrong and which variable to set.
"""

import errno
import os
import sys
from itertools import pairwise
from pathlib import Path

from lethe.cluster.environment import joins, ray_folder, ray_variable

LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107  # bytes of a socket's path, as Ray counts them
SOCKET = "ray/session_2026-01-01_00-00-00_000000_4194304/sockets/dash_MetricsHead"  # below the folder, at its longest


def check_home() -> Path:
    """A home folder: results, models and Ray's own files go there if nothing else is said."""
    home = Path(os.path.expanduser("~"))  # Path.home() raises where nobody knows one
    if not home.is_absolute() or not os.environ.get("HOME", "unset"):
        given = (
            f"HOME is {os.environ['HOME']!r}" if "HOME" in os.environ else "HOME is not set, nor does the system know"
        )
        raise ValueError(f"no home folder is known ({given}): set HOME to one")
    return home


def check_here() -> Path:
    """A working folder that is still there."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ValueError("the working folder was removed: change to one that is there") from None


def check_arguments(arguments: list[str]) -> list[str]:
    """Arguments none of which is empty."""
    for before, argument in pairwise(["", *arguments]):
        flag, equals, value = argument.partition("=")
        if not argument or (flag.startswith("--") and equals and not value):
            raise ValueError(f"an argument is empty, behind {flag or before!r}: is a variable of the shell not set?")
    return arguments


def check_cache(folder: Path) -> Path:
    """A folder for what is made or measured once, made where it is not there.

    One that cannot be written to will do where all is in it that is needed: where not, that is told as it is found out.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError as error:
        raise ValueError(
            f"the cache ({str(folder)!r}) cannot be made ({error.strerror}): set XDG_CACHE_HOME to a folder to write in"
        ) from None


def check_sockets() -> Path:
    """Where Ray makes its folder, if it is started here: writable, and its path short enough.

    Nothing is made: Ray makes its folder so that the machine's other users can write to it too.
    """
    folder, variable = ray_folder().parent, ray_variable()
    if joins():
        return folder
    named = f"{variable}={str(folder)!r}" if variable else f"{str(folder)!r}"
    room, length = LONGEST_SOCKET - len(SOCKET) - 1, len(os.fsencode(folder))
    if length > room:
        raise ValueError(
            f"{named} is {length} bytes long, which leaves no room for Ray's sockets: set RAY_TMPDIR to a folder "
            f"of at most {room}"
        )
    if fault := _unwritable(ray_folder()):
        raise ValueError(
            f"Ray's folder in {named} cannot be written to ({fault}): set RAY_TMPDIR to a folder to write in"
        )
    return folder


def _unwritable(folder: Path) -> str:
    """Why a folder, or the nearest one above it that is there, cannot be written to; "" where it can."""
    above = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not above.is_dir():
        return os.strerror(errno.ENOTDIR)
    return "" if os.access(above, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)
