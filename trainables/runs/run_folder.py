"""Where a run writes: a folder that all its workers see, or a URL that pyarrow knows (s3://, gs://, file://, ...).

Under a URL every worker writes to a draft folder on its own disk and `put`s what is whole; keys and endpoints come from
the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), never from the URL.
"""

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from pyarrow.fs import FileSystem, FileType, copy_files


class RunFolder:
    """One run's folder; `path` is where its files are written and read on this machine."""

    def __init__(self, place: Path | str) -> None:
        self.place = str(place).rstrip("/")
        self._remote = "://" in self.place
        self.path = Path(tempfile.mkdtemp(prefix="lethe-")) if self._remote else Path(place)

    def where(self, name: str) -> str:
        """What others find a file or folder of the run by."""
        return f"{self.place}/{name}"

    def put(self, name: str, *, keep: bool = True) -> None:
        """Bring a file or folder that was written to its place, its draft `keep`t or not; OSError where that fails."""
        if self._remote:
            _copy(str(self.path / name), self.where(name))
            if not keep:
                _remove(self.path / name)

    def get(self, name: str) -> bool:
        """Bring a file or folder from its place to `path`, whether there is one."""
        if self._remote and not (self.path / name).exists():
            filesystem, path = FileSystem.from_uri(self.where(name))
            if filesystem.get_file_info(path).type == FileType.NotFound:
                return False
            _copy(self.where(name), str(self.path / name))
        return (self.path / name).exists()

    def drop(self, name: str) -> None:
        """Remove a file or folder, where there is one."""
        _remove(self.path / name)
        if self._remote:
            filesystem, path = FileSystem.from_uri(self.where(name))
            match filesystem.get_file_info(path).type:
                case FileType.Directory:
                    filesystem.delete_dir(path)
                case FileType.File:
                    filesystem.delete_file(path)

    def close(self) -> None:
        """Remove the draft."""
        if self._remote:
            shutil.rmtree(self.path, ignore_errors=True)


def _copy(source: str, destination: str) -> None:
    filesystem, path = FileSystem.from_uri(destination)
    filesystem.create_dir(str(PurePosixPath(path).parent), recursive=True)
    reader, found = FileSystem.from_uri(source)
    if reader.get_file_info(found).type == FileType.Directory:
        filesystem.create_dir(path, recursive=True)  # copy_files makes only the folders below it
    copy_files(found, path, reader, filesystem)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
