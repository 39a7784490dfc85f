"""An audit as a table in a terminal: a row for each candidate under each stress, by one score of what was forgotten."""

from collections.abc import Collection, Sequence

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


TRACES = ("candidate", "score", "value", "target", "retrained", "position", "from retrained", "p")


def draw_traces(audit: Audit, candidates: Collection[str]) -> Table | None:
    """What some candidates hold, whatever they answer; None where nothing was read."""
    rows = [row for row in audit.traces if row.candidate in candidates]
    if not rows:
        return None
    table = _empty(TRACES)
    for row in rows:
        told = dict(zip(trace_words.HEAD, trace_words.cells(row), strict=True)) | {"candidate": row.candidate}
        table.add_row(*(told[name].replace("−", "-") for name in TRACES))
    return table


def draw_audit(audit: Audit, candidates: Collection[str]) -> Table | None:
    """The rows of some candidates; None where there are none."""
    score = main_score(audit)
    rows = [row for row in audit.rows if row.score == score and row.candidate in candidates]
    if not rows:
        return None
    table = _empty(COLUMNS)
    for row in rows:
        cells = (
            row.candidate,
            row.stress,
            audit_words.course(row.values),
            audit_words.course(row.retrained),
            audit_words.spanned(row.recovery.net, 0),
            audit_words.told(audit, row),
        )
        table.add_row(*(cell.replace("−", "-") for cell in cells))  # a terminal's numbers can be copied
    return table


def _empty(columns: Sequence[str]) -> Table:
    table = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        left = name in ("candidate", "stress", "score", "verdict")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "stress")
    return table
