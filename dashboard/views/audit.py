"""Page Audit: whether what seemed forgotten comes back under stress, how sure that is, and which items came back."""

import shlex
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import data, inert, outputs, parts, wire
from dashboard.charts import audit as charts
from dashboard.published import NEWS_RUNS
from dashboard.reports import audit as audit_report
from dashboard.reports import decision as report
from lethe.analysis import audit_words
from lethe.analysis.audit import RETRAINED, Audit
from lethe.analysis.cells import number
from lethe.store.audits import PLAIN

PER_PAGE = 5


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Audit", "Whether what seemed forgotten comes back when a model is put under stress.")
    audit = data.audit(context.study, context.url)
    if not audit.candidates:
        empty(context, audit)
        return
    parts.show(next(audit_report.sections(audit, {})))
    downloads(context, audit)
    if audit.rows:
        score = drawn(context, audit)
        table(audit, score)
        items(context, audit, score)
    if audit.traces:
        parts.show(audit_report.traces(audit))
    if audit.refused:
        parts.show(audit_report.refused(audit))
    with st.expander("how to read this"):
        st.text(audit_words.method(audit))


def empty(context: wire.Context, audit: Audit) -> None:
    """What to do where no candidate was audited yet."""
    if context.study.name == NEWS_RUNS:
        st.info("The published runs come without their models: there is nothing to audit.")
        return
    st.info(
        inert.markdown(
            "No candidate of this study has been audited. An audit puts candidates, the target and the retrained model "
            "under stress (their weights are rounded, or they learn a little of some text), and looks whether what "
            "seemed forgotten comes back. This makes one:"
        )
    )
    st.code(audit_words.COMMAND.replace("STUDY", shlex.quote(context.study.name)), language=None)
    for line in audit.notes:
        st.caption(inert.markdown(line))
    if audit.refused:
        parts.show(audit_report.refused(audit))


def downloads(context: wire.Context, audit: Audit) -> None:
    """What can be taken away; each is made when it is asked for."""
    study = context.study
    whole = pd.DataFrame(audit_words.table(audit, audit.rows), columns=list(audit_words.HEAD))
    files = (
        ("Report (HTML)", lambda: audit_report.as_html(study), "html", "text/html"),
        ("Report (Markdown)", lambda: audit_report.as_markdown(study), "md", "text/markdown"),
        ("All rows (CSV)", lambda: report.as_csv(whole), "csv", "text/csv"),
    )
    with st.container(horizontal=True):
        for label, make, ending, kind in files:
            st.download_button(label, make, f"lethe-audit.{ending}", kind, on_click="ignore")


def drawn(context: wire.Context, audit: Audit) -> str:
    """The chart of one score, which the reader chooses; a click on a candidate shows its items."""
    st.subheader("Before each stress and under it", anchor=False)
    score = wire.pick("score", "score", audit.scores, audit.scores[0], width=300)
    card = context.facts.card(score)
    if card.meaning:
        st.caption(inert.markdown(f"{score}: {card.meaning}"))
    alt = "Scores of candidates before and under each stress; the table below holds them."
    wire.chart(charts.before_and_after(audit, card), "audit", alt=alt, chosen=clicked)
    st.caption(inert.markdown(f"{audit_report.charts_text()} A click on a mark shows its items below."))
    return score


def clicked(event: Any) -> None:
    """Turn to the items of the candidate and the stress that were clicked on."""
    for point in event["selection"]["points"] if event else []:
        found = point.get("customdata")
        if isinstance(found, list) and len(found) == 2:
            wire.start_anew(candidate=key_of(str(found[0])), stress=str(found[1]))


def key_of(candidate: str) -> str:
    """A candidate's name as it stands in links: 12/step/40/student."""
    return candidate.replace("@", "/", 1)


def table(audit: Audit, score: str) -> None:
    """The rows of a score."""
    rows = [row for row in audit.rows if row.score == score]
    shown = pd.DataFrame(audit_words.table(audit, rows), columns=list(audit_words.HEAD)).drop(columns="score")
    wire.table(shown, alt=f"What each stress brings back, in {score}.", height="content")


def items(context: wire.Context, audit: Audit, score: str) -> None:
    """What a candidate wrote before and under a stress, item by item, those that came back first."""
    stored = {(reading.whose, reading.stress) for reading in context.study.audits}
    rows = [row for row in audit.rows if row.score == score and (row.candidate, row.stress) in stored]
    if not rows:  # the worst of several alone, whose items are those of its parts
        return
    st.subheader("Items", anchor=False)
    names = {key_of(row.candidate): row.candidate for row in rows}
    worst = max(rows, key=lambda row: row.recovery.change.value)
    with st.container(horizontal=True):
        key = wire.pick(
            "candidate",
            "candidate",
            list(names),
            key_of(worst.candidate),
            format_func=lambda key: audit_words.who(names[key]),
            width=300,
        )
        own = [row.stress for row in rows if row.candidate == names[key]]
        stress = wire.pick("stress", "stress", own, worst.stress if worst.stress in own else own[0], width=300)
        found = read(context, names[key], stress, score)
        if found is None:
            return
        pages = max(-(-len(found) // PER_PAGE), 1)
        which = f"page {score} {key} {stress}"
        number_ = st.number_input(f"page of {pages}", 1, pages, 1, key=which, width=140)
    back = int((found["gained"] > 0).sum())
    st.caption(f"{len(found)} items that count, those that came back first: of {back} more is known under the stress.")
    for _, item in found.iloc[(number_ - 1) * PER_PAGE : number_ * PER_PAGE].iterrows():
        answer(item)


def read(context: wire.Context, candidate: str, stress: str, score: str) -> pd.DataFrame | None:
    """The items; says why, and returns None, where they cannot be read."""
    files = {(r.whose, r.stress): r.items for r in context.study.audits if not r.refused}
    plain, stressed = (files.get((candidate, name), "") for name in (PLAIN, stress))
    try:
        return outputs.came_back(plain, stressed, files.get((RETRAINED, stress), ""), context.facts.card(score))
    except ValueError as error:
        st.info(inert.markdown(error))
        return None


def answer(item: "pd.Series[Any]") -> None:
    """A prompt with what was written before and under the stress, by the retrained model, and the truth: plain text."""
    with st.container(border=True):
        st.caption(f"item {item['item']}")
        st.text(outputs.last_question(str(item["prompt"])))
        with st.container(horizontal=True):
            parts.column(f"before the stress (score {number(item['value_before'])})", parts.said(item["output_before"]))
            parts.column(f"under the stress (score {number(item['value'])})", parts.said(item["output"]))
            if pd.notna(item["value_retrained"]):
                title = f"retrained, under the stress (score {number(item['value_retrained'])})"
                parts.column(title, parts.said(item["output_retrained"]))
            parts.column("truth", parts.said(item["truth"]))


page()
