"""Page Arena: many methods under one budget, which to take and how sure that is; a click opens a candidate's trial."""

import streamlit as st

from dashboard import data, inert, parts, wire
from dashboard.reports import arenas as arena_report
from dashboard.reports import decision as report
from dashboard.table import Candidate
from lethe.analysis.arena import Arena
from lethe.store.facts import ARENA
from lethe.store.places import Place

EVERY = 10  # seconds between two looks at the arena
METHODS = "methods table"


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Arena", "Many methods under one budget: which to take, and how sure that is.")
    try:
        names = data.arenas(context.url)
    except ValueError:  # there is no store, which the frame has said
        names = {}
    if not names:
        st.info("This store holds no arena. `lethe arena` makes one.")
        return
    own = context.facts.about.get(ARENA, {}).get("name", "")
    name = own if own in names else next(iter(names))
    st.caption(inert.markdown(f"{name}. Another one is chosen by its name at the side." if len(names) > 1 else name))
    arena = data.arena(context.url, name)
    watch(context.url, name, arena)
    downloads(arena)
    parts.show(arena_report.in_short(arena))
    methods(arena)
    if len(arena.compared):
        parts.show(arena_report.offered(arena))
    if len(arena.candidates):
        chosen = fronts(arena)
        parts.show(arena_report.courses(arena, chosen))
    else:
        st.info("No candidate counts yet. This page fills itself as the arena goes on.")
    for section in arena_report.closing(arena):
        parts.show(section)


@st.fragment(run_every=EVERY)
def watch(url: str, name: str, drawn: Arena) -> None:
    """Look whether the arena has gone on, and draw the page anew if so."""
    try:
        now = data.arena(url, name)
    except ValueError as error:
        st.warning(inert.markdown(error))
        return
    if now is not drawn:
        st.rerun()


def downloads(arena: Arena) -> None:
    """What can be taken away; each is made when it is asked for."""
    files = (
        ("Report (HTML)", lambda: arena_report.as_html(arena), "html", "text/html"),
        ("Report (Markdown)", lambda: arena_report.as_markdown(arena), "md", "text/markdown"),
        ("Methods (CSV)", lambda: report.as_csv(arena.entrants), "csv", "text/csv"),
        ("Comparisons (CSV)", lambda: report.as_csv(arena.comparisons), "pairs.csv", "text/csv"),
    )
    with st.container(horizontal=True):
        for label, make, ending, kind in files:
            st.download_button(label, make, f"{arena.name}.{ending}", kind, on_click="ignore")


def methods(arena: Arena) -> None:
    """The table, in which a row opens the trial of its recommended candidate."""
    st.subheader("The methods", anchor=False)
    rows = arena.entrants.to_dict("records")

    def clicked() -> None:
        for row in st.session_state[METHODS]["selection"]["rows"]:
            if row < len(rows) and isinstance(rows[row].get("study"), str):
                wire.open_trial(Candidate(int(rows[row]["trial"]), Place.of(rows[row])).key, rows[row]["study"])

    wire.table(
        arena_report.cells(arena),
        alt="The methods.",
        pinned="method",
        height="content",
        key=METHODS,
        on_select=clicked,
        selection_mode="single-row",
    )
    texts = [*arena_report.table_texts(arena), "Choose a row to open that candidate's trial."]
    st.caption(inert.markdown(" ".join(texts)))


def fronts(arena: Arena) -> list[str]:
    """The fronts of all methods over two scores; returns those that the reader chose to have drawn strongly."""
    st.subheader("Fronts of all methods", anchor=False)
    scores = arena_report.shown_scores(arena)
    defaults = arena_report.axes(arena)
    left, right = st.columns(2)
    with left:
        x = wire.pick("x", "x", scores, defaults[0])
    with right:
        y = wire.pick("y", "y", scores, defaults[1])
    few = list(arena_report.drawn(arena))
    current = [name for name in wire.selection().entrants if name in arena.planned] or few
    ranked = arena.entrants["entrant"].tolist()
    chosen = wire.tied(st.multiselect, "drawn strongly", "entrants", current, tag=arena.name, options=ranked)
    if list(chosen) == few:
        wire.choose(entrants=())
    figure = arena_report.fronts(arena, chosen, (x, y))
    wire.chart(figure, "arena fronts", alt="Fronts of all methods; the table holds the best of each.", click=True)
    st.caption(inert.markdown(arena_report.fronts_text(arena, chosen)))
    return list(chosen)


page()
