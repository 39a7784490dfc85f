"""Any CSV file, by a mapping that says which column is what. Pure."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from lethe.imports.mapping import Columns, check_columns, parameters_of, place_of, scores_of
from lethe.imports.rows import Found, Oddity, Row, records


def read(file: Path, columns: Columns) -> Found:
    """A candidate for each line; a line is a run of its own, if `columns` has no other."""
    head, lines = records(file)
    check_columns(columns, head, repr(str(file)))
    found = Found()
    for line, record in lines:
        try:
            found.rows.append(_row(file, line, record, columns))
        except ValueError as error:
            found.oddities.append(Oddity(str(file), line, str(error)))
    return found


def _row(file: Path, line: int, record: Mapping[str, str] | str, columns: Columns) -> Row:
    if isinstance(record, str):
        raise ValueError(record)
    parameters = parameters_of(columns, record)
    return Row(
        file=str(file),
        line=line,
        run=_run(record, columns),
        parameters=parameters,
        place=place_of(columns, record),
        scores=scores_of(columns, record),
    )


def _run(record: Mapping[str, str], columns: Columns) -> str:
    """The run that a line is of: as it is called, or a hash of all that is read of the line."""
    if columns.run:
        if not record[columns.run].strip():
            raise ValueError(f"its {columns.run} is empty: which run is it of?")
        return record[columns.run].strip()
    read = json.dumps([record[name] for name in columns.names])
    return hashlib.sha256(read.encode()).hexdigest()[:12]
