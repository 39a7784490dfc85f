"""Page Ablation: what each part contributes and how sure that is; the same views as the report's."""

import streamlit as st

from dashboard import parts, wire
from dashboard.reports import ablations as ablation_report
from dashboard.reports import decision as report
from dashboard.reports.sections import Section
from lethe.analysis.ablation import Ablation, ablation_of, is_ablation, roles_of
from lethe.store.snapshot import Snapshot


def page() -> None:
    """Draw the page."""
    study = wire.context().study
    wire.head("Ablation", "What each part of the method contributes, by how much, and how sure that is.")
    if not is_ablation(study.facts):
        st.info("This study is a search and no ablation. `lethe ablate` makes one.")
        return
    roles = roles_of(study.candidates)
    role = st.radio("represented by the last", roles, horizontal=True) if roles else ""
    key = (wire.context().url, study.name, *study.token, role)
    found, sections = drawn(study, role, key)
    with st.container(horizontal=True):  # each is made when it is asked for
        st.download_button(
            "Report (HTML)",
            lambda: ablation_report.as_html(found),
            f"{study.name}.html",
            "text/html",
            on_click="ignore",
        )
        st.download_button(
            "Report (Markdown)",
            lambda: ablation_report.as_markdown(found),
            f"{study.name}.md",
            "text/markdown",
            on_click="ignore",
        )
        st.download_button(
            "Effects (CSV)", lambda: report.as_csv(found.effects()), f"{study.name}.csv", "text/csv", on_click="ignore"
        )
    for section in sections:
        parts.show(section)


@st.cache_resource(max_entries=4, show_spinner="comparing the arms")
def drawn(_study: Snapshot, role: str, key: tuple[object, ...]) -> tuple[Ablation, list[Section]]:
    """An ablation and the parts of its page; made once for each state of a study, which `key` stands for."""
    found = ablation_of(_study, role=role)
    return found, list(ablation_report.sections(found))


page()
