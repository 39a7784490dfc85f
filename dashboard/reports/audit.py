"""An audit's report: what comes back under which stress, in words, table and figures. The page Audit shows the same."""

from collections.abc import Iterator

from dashboard.charts import audit as charts
from dashboard.reports.sections import Section, html_of, markdown_of
from lethe.analysis import audit_words, trace_words
from lethe.analysis.audit import Audit, audit_in
from lethe.store.cards import Card
from lethe.store.facts import Facts
from lethe.store.snapshot import Snapshot


def sections(audit: Audit, cards: dict[str, Card]) -> Iterator[Section]:
    """The report, part by part, the answer first; `cards` are those of the audit's scores."""
    yield Section("In short", items=[*audit_words.summary(audit), *trace_words.summary(audit)])
    if audit.rows:
        figures = [charts.before_and_after(audit, cards[score]) for score in audit.scores]
        yield Section("Before each stress and under it", texts=[charts_text()], figures=figures)
        yield table(audit)
    if audit.traces:
        yield traces(audit)
    if audit.refused:
        yield refused(audit)


def table(audit: Audit) -> Section:
    """A row for each candidate, stress and score."""
    head, rows = list(audit_words.HEAD), audit_words.table(audit, audit.rows)
    return Section("What each stress brings back", texts=[audit_words.method(audit)], table=(head, rows))


def traces(audit: Audit) -> Section:
    """What candidates hold, whatever they answer."""
    head, rows = list(trace_words.HEAD), trace_words.table(audit)
    return Section("What no answer shows", texts=[trace_words.method(audit)], table=(head, rows))


def charts_text() -> str:
    """How to read the figure."""
    return (
        "A ring is a candidate before the stress, a filled mark the same under it. Upright lines: the target and the "
        "retrained model, dotted before the stress and drawn through under it. What comes back moves from the side of "
        "the retrained model to the target's."
    )


def refused(audit: Audit) -> Section:
    """What could not be measured, and why."""
    return Section("Stresses that could not be put on", items=audit_words.refusals(audit))


def cards_of(facts: Facts, audit: Audit) -> dict[str, Card]:
    """The cards of an audit's scores."""
    return {score: facts.card(score) for score in audit.scores}


def as_html(study: Snapshot) -> str:
    """The report as one page that needs no network. All text is escaped."""
    audit = audit_in(study)
    return html_of(f"Audit of {study.name}", sections(audit, cards_of(study.facts, audit)))


def as_markdown(study: Snapshot) -> str:
    """The report as Markdown, without its figures."""
    audit = audit_in(study)
    return markdown_of(f"Audit of {study.name}", sections(audit, cards_of(study.facts, audit)))
