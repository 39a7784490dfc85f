"""What candidates hold that no answer shows, in plain words and as a table. Pure."""

from collections.abc import Sequence

from lethe.analysis.audit import Audit
from lethe.analysis.audit_words import p_text, spanned, who
from lethe.analysis.cells import NONE, listed, number
from lethe.analysis.traces import Traced

NUMBERS = ("value", "target", "retrained", "position", "from retrained", "p")
HEAD = ("candidate", "score", "what it says", *NUMBERS, "items")
METHOD = (
    "What is read here are weights, hidden states and losses, not answers. Good is what the retrained model has, which "
    "never knew, and not the least or the most. Position is 0 there and 1 at the target; it is left out where the two "
    "may as well be the same. p is that of a candidate that is as the retrained model, two-sided, corrected by Holm's "
    "method over all {rows} rows. A model that only learned something else may differ as well: this says where a "
    "method left its marks, and no answer has to come of them."
)


def summary(audit: Audit) -> list[str]:
    """A sentence for each candidate of which traces were read."""
    found = {name: [row for row in audit.traces if row.candidate == name] for name in audit.candidates}
    return [f"{who(name)}, apart from its answers: {verdict(rows)}." for name, rows in found.items() if rows]


def verdict(rows: Sequence[Traced]) -> str:
    """In which scores a candidate is told from the retrained model, in a sentence without its end."""
    if all(row.apart is None for row in rows):
        return "without a retrained model nothing is told from what any training leaves"
    told = [row for row in rows if row.told]
    if not told:
        return f"it is told from the retrained model by none of {len(rows)} scores"
    return (
        f"it is told from the retrained model by {len(told)} of {len(rows)} scores: {listed([beside(r) for r in told])}"
    )


def beside(row: Traced) -> str:
    """A value between those of the reference models: `cka_f 78.2 (target 100.0, retrained 60.1)`."""
    return f"{row.score} {number(row.value)} (target {_value(row.target)}, retrained {_value(row.retrained)})"


def method(audit: Audit) -> str:
    """How to read the table."""
    return METHOD.format(rows=sum(row.p == row.p for row in audit.traces))


def table(audit: Audit) -> list[list[str]]:
    """Rows as a reader sees them, below HEAD."""
    return [cells(row) for row in audit.traces]


def cells(row: Traced) -> list[str]:
    """One row of the table."""
    return [
        who(row.candidate),
        row.score,
        row.tells,
        number(row.value),
        _value(row.target),
        _value(row.retrained),
        spanned(row.position, 2, sign=False),
        spanned(row.apart),
        p_text(row.corrected),
        str(row.n),
    ]


def _value(value: float | None) -> str:
    return NONE if value is None else number(value)
