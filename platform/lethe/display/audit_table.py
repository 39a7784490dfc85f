"""An audit as a table in a terminal: a row for each candidate under each stress, by one score of what was forgotten."""

from collections.abc import Collection, Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lethe.analysis import audit_words, trace_words
from lethe.analysis.audit import Audit

MAIN = "knowmem_f"  # where it is measured
COLUMNS = ("candidate", "stress", "before → after", "retrained", "net recovery", "verdict")


def main_score(audit: Audit) -> str | None:
    """The score that the table is of; None where no score of what was forgotten was compared."""
    forgotten = list(dict.fromkeys(row.score for row in audit.rows if row.forgotten))
    return MAIN if MAIN in forgotten else next(iter(forgotten), None)


def draw_traces(audit: Audit, candidates: Collection[str]) -> Table | None:
    """What some candidates hold, whatever they answer, score by score below each one's name; None without a reading."""
    found = [row for row in audit.traces if row.candidate in candidates]
    rows: list[list[str]] = []
    for candidate, own in groupby(found, key=lambda row: row.candidate):
        rows.append([candidate, *[""] * len(trace_words.NUMBERS)])
        for row in own:
            told = dict(zip(trace_words.HEAD, trace_words.cells(row), strict=True))
            rows.append([f"  {told['score']}", *(told[name] for name in trace_words.NUMBERS)])
    return _table(("candidate", *trace_words.NUMBERS), rows)


def draw_audit(audit: Audit, candidates: Collection[str]) -> Table | None:
    """The rows of some candidates; None where there are none."""
    score = main_score(audit)
    return _table(
        COLUMNS,
        [
            [
                row.candidate,
                row.stress,
                audit_words.course(row.values),
                audit_words.course(row.retrained),
                audit_words.spanned(row.recovery.net, 0),
                audit_words.told(audit, row),
            ]
            for row in audit.rows
            if row.score == score and row.candidate in candidates
        ],
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table | None:
    """Rows below columns; None without rows. Where they do not fit, words are wrapped and cut, and no number is."""
    if not rows:
        return None
    table = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for i, name in enumerate(columns):
        if name in ("candidate", "stress", "verdict"):
            table.add_column(name, overflow="fold" if name == "stress" else "ellipsis")
        else:
            widest = max(len(cell) for cell in (name, *(row[i] for row in rows)))
            table.add_column(name, justify="right", no_wrap=True, min_width=widest)
    for row in rows:
        table.add_row(*(cell.replace("−", "-") for cell in row))  # a terminal's numbers can be copied
    return table
