"""A candidate's weights: whether they are still where it says, and brought from there, be it a folder or a URL."""

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem, copy_files

from lethe.store.study_folder import open_place


def are_there(place: Any) -> bool:
    """Whether a candidate's weights are kept: a place is named, and there are files in it."""
    return bool(names(place))


def names(place: Any) -> list[str]:
    """The names of all files below a place, as they stand there; none where there is no such place."""
    if not isinstance(place, str) or not place:
        return []
    try:
        filesystem, path = open_place(place)
        return [posixpath.relpath(file, path) for file, _ in _files(filesystem, path)]
    except (OSError, ValueError):  # no path and no URL that pyarrow knows, or a store that does not answer
        return []


def bring(place: str, folder: Path) -> None:
    """Copy all files below a place into a folder that is there; OSError where that cannot be.

    ValueError where they went meanwhile, as they do where a search finds a better candidate, and where a link is among
    them: a search writes none, and what it leads to may be no model's.
    """
    filesystem, path = open_place(place)
    if isinstance(filesystem, LocalFileSystem) and (link := next(_links(path), None)):
        raise ValueError(f"{place!r} holds a link, {link!r}, and links are not copied")
    before = _files(filesystem, path)
    copy_files(path, str(folder), filesystem, open_place(str(folder))[0])
    if _files(filesystem, path) != before:
        raise ValueError(f"{place!r} was removed while it was copied: another candidate of the study beats it now")


def _files(filesystem: FileSystem, path: str) -> list[tuple[str, int]]:
    """All files below a place, with their sizes."""
    found = filesystem.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
    return sorted((entry.path, entry.size) for entry in found if entry.type == FileType.File)


def _links(path: str) -> Iterator[str]:
    """All links below a folder, to files or to folders."""
    for above, folders, files in os.walk(path):
        yield from (name for name in (*folders, *files) if Path(above, name).is_symlink())
