"""A user's own texts for the penalty, web text for example, in the place of a benchmark's split raw/unrelated."""

import hashlib
from pathlib import Path

from trainables.benchmarks.documents import read_texts
from trainables.benchmarks.layout import read_rows
from trainables.benchmarks.rows import fault_of
from trainables.folders import expanded

ENDINGS = (".txt", ".jsonl", ".json", ".csv", ".parquet")


def find_corpus(place: str) -> list[Path]:
    """The files that a path stands for: itself, or those right below a folder; ValueError where there are none."""
    path = expanded(place).resolve()
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [file for file in files if file.is_file() and file.suffix in ENDINGS]
    if not found:
        raise ValueError(f"unrelated_texts {place!r} is neither a file nor a folder of {', '.join(ENDINGS)}")
    return found


def read_corpus(place: str) -> list[str]:
    """Read the texts of a file, or of a folder's files: a .txt file is one; of others each row's column `text` is.

    ValueError names a file that cannot be read, that is empty, or a row of it without text.
    """
    return [text for file in find_corpus(place) for text in _read(file)]


def corpus_hash(place: str) -> str:
    """Hash of what the files hold, by which a run tells that they are no longer those that it was begun with."""
    found = hashlib.sha256()
    for file in find_corpus(place):
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:16]


def _read(file: Path) -> list[str]:
    if file.suffix == ".txt":
        return read_texts([file])
    rows = read_rows(file)
    if not rows:
        raise ValueError(f"{str(file)!r} is empty")
    for number, row in enumerate(rows, 1):
        if fault := fault_of(row, "text"):
            raise ValueError(f"{str(file)!r}, row {number}: text {fault} (found: {', '.join(row)})")
    return [row["text"] for row in rows]
