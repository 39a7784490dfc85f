"""A study's own folder: where its weights, outputs and states lie, and the one place that removes any of them.

The folder's name ends in the study's id. So two stores that each have a study of one name, or a store that was deleted
and made anew, never share a folder. A place may come from a row of the store, which is no proof that it is ours: only
what lies below the folder is removed. Imports no ray.
"""

import os
import posixpath
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import quote

from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from lethe.store.facts import is_id

LONGEST = 80  # bytes of a name that a folder's name takes over


@dataclass(frozen=True)
class StudyFolder:
    """The folder of one study, by its path or its URL."""

    place: str

    def holds(self, place: str) -> bool:
        """Whether a path or a URL lies below the folder, after links and `..` are resolved."""
        own, other = locate(self.place), locate(place)
        return bool(own and other) and own[0] == other[0] and own[1] in other[1].parents  # type: ignore[index]

    def folders(self, below: str | None = None) -> list[str]:
        """The places of all folders below this one, or below one of its own, however deep; links are not followed."""
        top = below or self.place
        filesystem, path = open_place(top)
        if isinstance(filesystem, LocalFileSystem):  # whose own listing follows links, in a circle if they lead in one
            found = [f"{above}/{name}" for above, names, _ in os.walk(path) for name in names]
        else:
            entries = filesystem.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
            found = [entry.path for entry in entries if entry.type == FileType.Directory]
        names = [posixpath.relpath(folder, path) for folder in found]
        return [f"{top}/{quote(name) if '://' in top else name}" for name in names]

    def remove(self, place: str) -> None:
        """Remove a folder that lies below this one, as far as that can be done; leave any other, and a link, alone."""
        if not self.holds(place):
            return
        filesystem, path = open_place(place)
        if isinstance(filesystem, LocalFileSystem):
            if not Path(path).is_symlink():  # what it leads to may be another's, though it lies below as well
                shutil.rmtree(Path(path).resolve(), ignore_errors=True)
            return
        with suppress(OSError):
            filesystem.delete_dir(path)


def study_folder(results: str, name: str, study_id: str) -> StudyFolder:
    """The folder of a study below a results folder or URL."""
    own = folder_name(name, study_id)
    return StudyFolder(f"{results}/{quote(own) if '://' in results else own}")


def folder_name(name: str, study_id: str) -> str:
    """A study's name, as far as it can be part of a path, and its id, which studies of older versions lack.

    ValueError for an id that no study has: it comes from a row, and would lead elsewhere.
    """
    if study_id and not is_id(study_id):
        raise ValueError(f"{study_id!r} is no study's id: it has 8 of the digits 0 to 9 and a to f")
    plain = re.sub(r"[^\w.-]+", "-", name).encode()[:LONGEST].decode(errors="ignore")
    readable = plain.strip("-.") or "study"
    return f"{readable}-{study_id}" if study_id else readable


def is_there(place: str) -> bool:
    """Whether anything stands at a place, be it a link that leads nowhere; also where its store does not answer."""
    try:
        filesystem, path = open_place(place)
        if isinstance(filesystem, LocalFileSystem):
            return os.path.lexists(path)
        return bool(filesystem.get_file_info(path).type != FileType.NotFound)
    except ValueError:  # no path and no URL that pyarrow knows
        return False
    except OSError:
        return True


def locate(place: str) -> tuple[str, PurePath] | None:
    """A place's kind of file system and its whole path there, links resolved: equal for equal places; None for none."""
    try:
        filesystem, path = open_place(place)
        local = isinstance(filesystem, LocalFileSystem)
        return filesystem.type_name, Path(path).resolve() if local else PurePosixPath(posixpath.normpath(path))
    except (OSError, ValueError):  # no path and no URL that pyarrow knows
        return None


def open_place(place: str) -> tuple[FileSystem, str]:
    """The file system of a path or a URL, and the path there; OSError or ValueError where pyarrow knows none."""
    return FileSystem.from_uri(place if "://" in place else str(Path(place).absolute()))
