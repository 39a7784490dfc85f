"""A study's own folder: where its weights, outputs and states lie, and the one place that removes any of them.

The folder's name ends in the study's id. So two stores that each have a study of one name, or a store that was deleted
and made anew, never share a folder. A place may come from a row of the store, which is no proof that it is ours: only
what lies below the folder is removed. Imports no ray.
"""

import posixpath
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import quote

from pyarrow.fs import FileSystem, LocalFileSystem


@dataclass(frozen=True)
class StudyFolder:
    """The folder of one study, by its path or its URL."""

    place: str

    def holds(self, place: str) -> bool:
        """Whether a path or a URL lies below the folder, after links and `..` are resolved."""
        try:
            own, other = _locate(self.place), _locate(place)
        except (OSError, ValueError):  # no path and no URL that pyarrow knows
            return False
        return own[0].equals(other[0]) and own[1] in other[1].parents

    def remove(self, place: str) -> None:
        """Remove a folder that lies below this one, as far as that can be done; leave any other alone."""
        if not self.holds(place):
            return
        filesystem, path = _locate(place)
        if isinstance(filesystem, LocalFileSystem):
            shutil.rmtree(path, ignore_errors=True)
            return
        with suppress(OSError):
            filesystem.delete_dir(str(path))


def study_folder(results: str, name: str, study_id: str) -> StudyFolder:
    """The folder of a study below a results folder or URL."""
    own = folder_name(name, study_id)
    return StudyFolder(f"{results}/{quote(own) if '://' in results else own}")


def folder_name(name: str, study_id: str) -> str:
    """A study's name, as far as it can be part of a path, and its id, which studies of older versions lack."""
    readable = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "study"
    return f"{readable}-{study_id}" if study_id else readable


def _locate(place: str) -> tuple[Any, PurePath]:
    """The file system of a place, and its whole path there."""
    filesystem, path = FileSystem.from_uri(place if "://" in place else str(Path(place).absolute()))
    if isinstance(filesystem, LocalFileSystem):
        return filesystem, Path(path).resolve()
    return filesystem, PurePosixPath(posixpath.normpath(path))
