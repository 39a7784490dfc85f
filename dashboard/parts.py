"""Parts that several pages show: a report's section, what a model wrote before and after, the note of a trial."""

import pandas as pd
import streamlit as st

from dashboard import inert, outputs, wire
from dashboard.published import NEWS_RUNS
from dashboard.reports import reasons
from dashboard.reports.sections import Section, markdown_list
from lethe.analysis.cells import number
from lethe.store.facts import Facts
from lethe.store.trials import LONGEST_NOTE, write_note

WORST_SHOWN = 2  # items of a score


@st.cache_resource(show_spinner=False, max_entries=32)
def _items(file: str, about: str, _facts: Facts) -> pd.DataFrame:
    return outputs.before_and_after(outputs.read_items(file), _facts)


def items_of(context: wire.Context, row: pd.Series) -> pd.DataFrame | None:
    """What a candidate wrote beside what the target wrote; says why, and returns None, where that is not known."""
    if context.study.name == NEWS_RUNS:
        st.info("The published runs come without outputs.")
        return None
    try:
        found = _items(row["items"], repr((context.facts.about.get("items"), context.facts.cards)), context.facts)
    except ValueError as error:
        st.info(inert.markdown(error))
        return None
    if found["output_before"].isna().all():
        st.caption("What the target wrote before unlearning is not on this machine.")
    return found


def reference_notes(context: wire.Context) -> None:
    """What was seen as the texts and the reference models were read, if there was anything to see."""
    for line in reasons.reference_notes(context.facts):
        st.caption(inert.markdown(line))


def sample(context: wire.Context, row: pd.Series) -> None:
    """What the model still says of what was to be forgotten: how much, the worst of it, and what stands for it."""
    st.subheader("What its model still says of what was to be forgotten", anchor=False)
    st.caption("Of each score the worst items, and the one nearest the mean of all; every item is on the page Trial.")
    found = items_of(context, row)
    if found is None:
        return
    for card in map(context.facts.card, outputs.written(found, context.facts)):
        if card.forgotten and card.name in context.shown:
            st.text(f"{card.name}, {card.item}: {outputs.still(found, card)}")
            for _, item in outputs.searched(found, card, "").head(WORST_SHOWN).iterrows():
                answer(context, item, "among the worst")
            for _, item in outputs.typical(found, card.name).iterrows():
                answer(context, item, "nearest the mean of all")


def answer(context: wire.Context, item: pd.Series, place: str = "") -> None:
    """A prompt with what the target wrote, what the model and the retrained one write, and the truth: as plain text."""
    with st.container(border=True):
        which = f"{context.facts.card(item['score']).item}, item {item['item']}"
        st.caption(inert.markdown(f"{which}, {place}" if place else which))
        st.text(outputs.last_question(str(item["prompt"])))
        before = "not known" if pd.isna(item["output_before"]) else said(item["output_before"])
        with st.container(horizontal=True):
            column(f"before unlearning (score {number(item['value_before'])})", before)
            column(f"after unlearning (score {number(item['value'])})", said(item["output"]))
            if pd.notna(item["output_retrained"]):
                column(f"retrained (score {number(item['value_retrained'])})", said(item["output_retrained"]))
            column("truth", said(item["truth"]))


def column(title: str, text: str) -> None:
    """A text under a title; columns stand side by side where there is room."""
    with st.container(width=225):
        st.caption(title)
        st.text(text)


def said(text: object) -> str:
    """What a model wrote, without the white space around it."""
    return str(text).strip() or "(nothing)"


def note(context: wire.Context, trial: int) -> None:
    """The note of a trial, which is stored with the study."""
    if context.study.name == NEWS_RUNS:
        return
    there = context.study.notes.get(trial, "")
    with st.form(f"note {trial}", border=False):
        text = st.text_area(f"note on trial {trial}, stored with the study", there, max_chars=LONGEST_NOTE, height=100)
        if st.form_submit_button("Keep the note") and text != there:
            try:
                write_note(context.url, context.study.name, trial, text)
            except ValueError as error:
                st.error(inert.markdown(error))
            else:
                st.toast(f"The note on trial {trial} is stored.")


def show(section: Section) -> None:
    """One part of the report."""
    st.subheader(inert.markdown(section.title), anchor=False)
    for text in section.texts:
        st.markdown(inert.markdown(text))
    if section.items:
        st.markdown(markdown_list(section.items, inert.markdown))
    if section.table:
        head, rows = section.table
        table = pd.DataFrame([[str(cell) for cell in row] for row in rows], columns=list(head))
        wire.table(table, alt=f"{section.title}, as a table.")
    for i, figure in enumerate(section.figures):
        wire.chart(figure, f"{section.title} {i}", alt=f"{section.title}; its numbers stand in the tables.")
