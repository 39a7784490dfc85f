"""A candidate's weights: whether they are still where it says, and brought from there, be it a folder or a URL."""

from pathlib import Path
from typing import Any

from pyarrow.fs import FileSelector, FileSystem, FileType, copy_files


def are_there(place: Any) -> bool:
    """Whether a candidate's weights are kept: a place is named, and there are files in it."""
    if not isinstance(place, str) or not place:
        return False
    try:
        filesystem, path = _open(place)
        found = filesystem.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
    except (OSError, ValueError):  # no path and no URL that pyarrow knows, or a store that does not answer
        return False
    return any(entry.type == FileType.File for entry in found)


def bring(place: str, folder: Path) -> None:
    """Copy all files below a place into a folder that is there; OSError where that cannot be."""
    filesystem, path = _open(place)
    copy_files(path, str(folder), filesystem, FileSystem.from_uri(str(folder.absolute()))[0])


def _open(place: str) -> tuple[FileSystem, str]:
    return FileSystem.from_uri(place if "://" in place else str(Path(place).absolute()))
