"""What is named on the command line for a benchmark or a model: a folder that is here, or a hub id. Asks no hub."""

import os
from pathlib import Path


def expanded(path: str) -> Path:
    """A path with `~` and `~NAME` written out; ValueError where nobody has that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"{path!r} is in nobody's home folder: there is no user of that name") from None


def find_folder(name: str, what: str) -> Path | None:
    """The folder of this name; None where there is nothing of this name here, so that a hub may have it.

    ValueError, in one line that begins with `what`, for a name of something here that is no folder.
    """
    place = expanded(name)
    if name and os.path.isdir(place):
        return place
    if os.path.lexists(place) and name:
        found = "a link to what is not there" if place.is_symlink() and not place.exists() else "a file"
        raise ValueError(f"{what} {name!r} is {found}, not a folder")
    return None


def may_be_hub_id(name: str) -> bool:
    """Whether a name has the form owner/name, and not that of a path."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~"))
