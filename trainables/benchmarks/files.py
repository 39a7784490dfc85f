"""Files of text and of rows, read whole: UTF-8 with or without a byte-order mark; what cannot be read is one line."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from trainables.failures import reason_of
from trainables.subjects.model_files import POINTER, POINTS

UNREADABLE = (OSError, ValueError, NotImplementedError, RecursionError)  # what json, pandas and pyarrow raise


def read_text(file: Path) -> str:
    """Read a text file, its line ends as they are.

    ValueError names a file that is missing or cannot be opened, is no UTF-8 text, or is a pointer of Git LFS.
    """
    return _read(file, _decode)


def read_table(file: Path) -> list[dict[str, str]]:
    """Read a CSV file of text with a line of column names; what is missing in a row is empty. ValueError as above."""
    return _read(file, _from_csv)


def read_records(file: Path) -> list[Any]:
    """Read the rows of a file with one of the endings of READERS; ValueError as above, and for a broken file."""
    return _read(file, READERS[file.suffix])


def _read(file: Path, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(_content(file))
    except UNREADABLE as error:
        raise ValueError(f"{str(file)!r} cannot be read: {reason_of(error)}") from None


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise ValueError("it is not a file")
    content = file.read_bytes()
    if content.startswith(POINTER):
        raise ValueError(f"it {POINTS}")
    return content


def _decode(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    if "\0" in text:
        raise ValueError("it is not text: it holds a NUL character")
    return text


def _from_csv(content: bytes) -> list[dict[str, str]]:
    # The names are read as a row: pandas would take surplus values for an index, and lose them in silence.
    text = io.StringIO(_decode(content), newline="")
    names, *rows = pd.read_csv(text, header=None, dtype=str, keep_default_na=False).to_numpy().tolist()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _from_json(content: bytes) -> list[Any]:
    records = json.loads(_decode(content))
    if not isinstance(records, list):
        raise ValueError("it holds no list of rows")
    return records


def _from_jsonl(content: bytes) -> list[Any]:
    return [_from_line(n, line) for n, line in enumerate(_decode(content).split("\n"), 1) if line.strip()]


def _from_line(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _from_parquet(content: bytes) -> list[Any]:
    return pd.read_parquet(io.BytesIO(content)).to_dict("records")


READERS: dict[str, Callable[[bytes], list[Any]]] = {
    ".parquet": _from_parquet,
    ".csv": _from_csv,
    ".jsonl": _from_jsonl,
    ".json": _from_json,
}
