"""What a command finds around it, checked before it begins: home, working folder, cache, room for Ray's sockets.

Every function returns what it checked, and raises ValueError with one line: what is wrong and which variable to set.
"""

import os
import sys
import tempfile
from pathlib import Path

from lethe.cluster import joins

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


def check_tildes(arguments: list[str]) -> list[str]:
    """Arguments none of which begins with `~NAME` where nobody has that name."""
    for argument in arguments:
        if argument.startswith("~") and os.path.expanduser(argument).startswith("~"):
            raise ValueError(f"{argument!r} is in nobody's home folder: there is no user of that name")
    return arguments


def check_cache(folder: Path) -> Path:
    """A folder for what is made or measured once, made and written to; the variable that names another is told."""
    return _check_writable(folder, "the cache", "set XDG_CACHE_HOME to a folder to write in")


def check_sockets() -> Path:
    """Where Ray puts its files and sockets, if it is started here: writable, and its path short enough."""
    variables = ("RAY_TMPDIR", "TMPDIR") if sys.platform == "linux" else ("RAY_TMPDIR",)  # that Ray looks at
    variable = next((name for name in variables if name in os.environ), None)
    folder = Path(os.environ[variable] if variable else "/tmp").absolute()
    if joins():
        return folder
    named = f"{variable}={str(folder)!r}" if variable else f"{str(folder)!r}"
    room, length = LONGEST_SOCKET - len(SOCKET) - 1, len(os.fsencode(folder))
    if length > room:
        raise ValueError(
            f"{named} is {length} bytes long, which leaves no room for Ray's sockets: set RAY_TMPDIR to a folder "
            f"of at most {room}"
        )
    _check_writable(folder / "ray", f"Ray's folder in {named}", "set RAY_TMPDIR to a folder to write in")
    return folder


def _check_writable(folder: Path, what: str, remedy: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise ValueError(f"{what} ({str(folder)!r}) cannot be written to ({error.strerror}): {remedy}") from None
