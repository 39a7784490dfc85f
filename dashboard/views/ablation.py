"""Page Ablation: what each part contributes and how sure that is; the same views as the report's."""

import pandas as pd
import streamlit as st

from dashboard import ablation_report, inert, wire
from lethe.ablation import ROLES, Ablation, ablation_of, is_ablation
from lethe.snapshot import Snapshot


def page() -> None:
    """Draw the page."""
    study = wire.context().study
    wire.head("Ablation", "What each part of the method contributes, by how much, and how sure that is.")
    if not is_ablation(study.facts):
        st.info("This study is a search and no ablation. `lethe ablate` makes one.")
        return
    role = st.radio("represented by the last", ROLES, horizontal=True)
    key = (wire.context().url, study.name, *study.token, role)
    sections, report, markdown = drawn(study, role, key)
    left, right = st.columns(2)
    left.download_button("report as HTML", report, f"{study.name}.html", "text/html")
    right.download_button("report as Markdown", markdown, f"{study.name}.md", "text/markdown")
    for section in sections:
        show(section)


@st.cache_resource(max_entries=4, show_spinner="comparing the arms")
def drawn(_study: Snapshot, role: str, key: tuple[object, ...]) -> tuple[list[ablation_report.Section], str, str]:
    """The parts of the page, and the report in both forms; once for each state of a study, which `key` stands for."""
    found: Ablation = ablation_of(_study, role=role)
    return list(ablation_report.sections(found)), ablation_report.as_html(found), ablation_report.as_markdown(found)


def show(section: ablation_report.Section) -> None:
    """One part of the report."""
    st.subheader(inert.markdown(section.title), anchor=False)
    for text in section.texts:
        st.markdown(inert.markdown(text))
    if section.items:
        st.markdown(ablation_report.markdown_list(section.items, inert.markdown))
    if section.table:
        head, rows = section.table
        table = pd.DataFrame([[str(cell) for cell in row] for row in rows], columns=list(head))
        st.dataframe(table, hide_index=True, alt=f"{section.title}, as a table.")
    for i, figure in enumerate(section.figures):
        wire.chart(figure, f"{section.title} {i}", alt=f"{section.title}; its numbers stand in the tables.")


page()
