"""A candidate's weights: whether they are still where it says, and brought from there, be it a folder or a URL."""

from pathlib import Path
from typing import Any

from pyarrow.fs import FileSelector, FileSystem, FileType, copy_files


def are_there(place: Any) -> bool:
    """Whether a candidate's weights are kept: a place is named, and there are files in it."""
    if not isinstance(place, str) or not place:
        return False
    try:
        return bool(_files(*_open(place)))
    except (OSError, ValueError):  # no path and no URL that pyarrow knows, or a store that does not answer
        return False


def bring(place: str, folder: Path) -> None:
    """Copy all files below a place into a folder that is there; OSError where that cannot be.

    ValueError where they went meanwhile, as they do where a search finds a better candidate.
    """
    filesystem, path = _open(place)
    before = _files(filesystem, path)
    copy_files(path, str(folder), filesystem, FileSystem.from_uri(str(folder.absolute()))[0])
    if _files(filesystem, path) != before:
        raise ValueError(f"{place!r} was removed while it was copied: another candidate of the study beats it now")


def _files(filesystem: FileSystem, path: str) -> list[tuple[str, int]]:
    """All files below a place, with their sizes."""
    found = filesystem.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
    return sorted((entry.path, entry.size) for entry in found if entry.type == FileType.File)


def _open(place: str) -> tuple[FileSystem, str]:
    return FileSystem.from_uri(place if "://" in place else str(Path(place).absolute()))
