"""The formats that can be imported, by name, and which of them a file has."""

from pathlib import Path

from lethe.imports import muse, open_unlearning, optuna_study, paper_logs, table
from lethe.imports.mapping import Columns
from lethe.imports.rows import Found, records

PAPER_LOG, OPEN_UNLEARNING, MUSE, OPTUNA, CSV = KINDS = ("mean-teacher", "open-unlearning", "muse", "optuna", "csv")
MAPPED = (OPTUNA, CSV)  # nothing in these says which column is what


def recognise(source: str, columns: Columns) -> str:
    """The format of a source; ValueError where none can be told. A CSV file with a mapping is any table."""
    if optuna_study.is_study(source):
        return OPTUNA
    file = Path(source)
    if not file.exists():
        raise ValueError(f"there is no file {source!r}")
    if open_unlearning.is_evaluation(file):
        return OPEN_UNLEARNING
    if paper_logs.is_log(file):
        return PAPER_LOG
    if file.suffix != ".csv":
        raise ValueError(f"{source!r} has none of the formats that are known: say which, --as {', '.join(KINDS)}")
    return CSV if columns.names else _of_table(file)


def _of_table(file: Path) -> str:
    head, _ = records(file)
    return PAPER_LOG if paper_logs.is_table(head) else MUSE if muse.is_table(head) else CSV


def read(source: str, kind: str, columns: Columns) -> Found:
    """All that a source of this format holds; ValueError where it is not of it, OSError where it cannot be read."""
    if kind == OPTUNA:
        return optuna_study.read(source, columns)
    file = Path(source)
    if kind == OPEN_UNLEARNING:
        return open_unlearning.read(file)
    if kind == CSV:
        return table.read(file, columns)
    if kind == PAPER_LOG and file.suffix != ".csv":
        return paper_logs.read_log(file)
    head, _ = records(file)
    if not (muse.is_table(head) if kind == MUSE else paper_logs.is_table(head)):
        raise ValueError(f"{source!r} is no file of {kind}: its head is {', '.join(head[:8])}")
    return muse.read(file) if kind == MUSE else paper_logs.read_table(file)
