"""Page Front: 2-D and 3-D fronts over any scores, a scatter matrix, parallel coordinates; a click opens a trial."""

import streamlit as st

from dashboard import data, inert, published, wire
from dashboard.charts import fronts, fronts_3d, many_axes
from dashboard.selection import VIEWS
from dashboard.table import (
    BEATEN,
    FRONT,
    INFEASIBLE,
    STAYS,
    candidate_of,
    course_of,
    find,
    recipes,
    score_texts,
    thinned,
)
from lethe.analysis.items import all_items_in_words
from lethe.store.parameters import METHOD
from lethe.store.places import PLACE

MOST = {"2-D": 1000, "3-D": 3000, "matrix": 800, "parallel": 1500}  # candidates that are drawn
TABLE = "front table"
COLOURS = (METHOD, "standing")  # what the colour of a candidate may tell where a study has several methods


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Front", "Every point is a candidate of a trial. Click one to open its trial.")
    if not len(context.study.candidates):
        st.info("No candidate has been scored yet. This page fills itself as the search goes on.")
        return
    view = wire.tied(st.segmented_control, "view", "view", wire.selection().view, options=list(VIEWS), required=True)
    axes = choose_axes(context, view)
    objectives = [o.score for o in context.facts.objectives]
    with st.expander("what is drawn"):
        left, right = st.columns(2)
        with left:
            current = list(wire.selection().objectives) or objectives
            chosen = wire.tied(
                st.multiselect,
                "objectives of the front",
                "objectives",
                [score for score in current if score in context.scores],
                options=context.scores,
            )
            if list(chosen) == objectives:
                wire.choose(objectives=())
            corpora = ["none", *published.CORPORA]
            own = published.corpus_of(context.facts)
            corpus = wire.pick("published 7B figures", "published", corpora, own or "none")
        with right:
            wire.switch("intervals of the front", "intervals")
            wire.switch("dominated and infeasible candidates", "beaten")
            by_method = METHOD in context.study.parameters and wire.pick("colour", "colour", COLOURS, METHOD) == METHOD
    draw(context, view, axes, corpus, by_method=by_method)
    front_table(context, corpus)


def choose_axes(context: wire.Context, view: str) -> list[str]:
    """Let the reader choose the axes of a 2-D or 3-D front."""
    if view not in ("2-D", "3-D"):
        return []
    names = [o.score for o in context.objectives]
    defaults = dict(zip("xyz", [names[0], names[-1], names[len(names) // 2]], strict=True))
    columns = st.columns(2 if view == "2-D" else 3)
    axes = []
    for column, axis in zip(columns, "xyz", strict=False):
        with column:
            axes.append(wire.pick(axis, axis, context.scores, defaults[axis]))
    return axes


def draw(context: wire.Context, view: str, axes: list[str], corpus: str, *, by_method: bool) -> None:
    """Draw the view."""
    table, chosen = context.table, wire.selection().candidate or recommended(context)
    if not wire.selection().beaten:
        table = table[~table["group"].isin((BEATEN, INFEASIBLE))]
    drawn = thinned(table, MOST[view], chosen)
    if len(drawn) < len(table):
        st.caption(
            f"{len(drawn):,} of {len(table):,} candidates are drawn: the whole front, and an even choice of the rest."
        )
    scores = [o.score for o in context.objectives]
    parameters = context.study.parameters
    found = find(context.table, chosen)
    beside = fronts.Beside(
        parameters=parameters,
        references=context.facts.references,
        published=published.beside(corpus, context.facts) if corpus != "none" else None,
        chosen=chosen,
        ring="chosen" if wire.selection().candidate else "recommended",
        trajectory=None if found is None else course_of(context.table, found),
        intervals=wire.selection().intervals,
        by_method=by_method,
        runs=data.runs_of(context.study, context.url),
    )
    if view == "2-D":
        figure = fronts.front_2d(drawn, axes[0], axes[1], context.cards, beside)
        wire.chart(figure, "front", alt=wire.ALT_FRONT, click=True)
    elif view == "3-D":
        wire.chart(fronts_3d.front_3d(drawn, axes, context.cards, beside), "front-3d", alt=wire.ALT_FRONT)
        st.caption("Drag to turn. To open a trial, choose it in the table.")
    elif view == "matrix":
        shown = [*scores, *extra(context, scores)]
        figure = many_axes.scatter_matrix(drawn, shown, context.cards, by_method=by_method)
        wire.chart(figure, "matrix", alt="Scatter matrix of the objectives.", click=True)
    else:
        st.caption("Drag along an axis to brush, click it to let go.")
        shown = [*scores, *extra(context, scores)]
        wire.chart(many_axes.parallel(drawn, shown, context.cards, parameters), "parallel", alt="Parallel coordinates.")


def recommended(context: wire.Context) -> str:
    """The key of the recommended candidate, which is ringed as long as the reader chose none."""
    found = data.recommended(context.study, context.url, context.objectives)
    return candidate_of(context.study.candidates.iloc[found.row]).key if found else ""


def extra(context: wire.Context, scores: list[str]) -> list[str]:
    """The scores of constraints that are no objectives."""
    return [c.score for c in context.facts.constraints if c.score not in scores]


def front_table(context: wire.Context, corpus: str) -> None:
    """The candidates of the front as a table, in which a row opens its trial."""
    front = context.table[context.table["group"] == FRONT]
    st.subheader(f"The front: {len(front)} of {len(context.table):,} candidates")
    scores = [o.score for o in context.objectives]
    scores += extra(context, scores)
    front = front.sort_values(scores[0]).head(500)
    shown = front[["trial", *PLACE]].copy()
    for score in scores:
        shown[score] = score_texts(front, score)
    if STAYS in front:
        shown[STAYS] = front[STAYS]
    shown["recipe"] = recipes(front, context.study.parameters)
    keys = front["key"].tolist()

    def clicked() -> None:
        for row in st.session_state[TABLE]["selection"]["rows"]:
            wire.open_trial(keys[row])

    wire.table(shown, alt="The front.", key=TABLE, on_select=clicked, selection_mode="single-row")
    chosen = wire.selection().candidate or recommended(context)
    row = find(context.table, chosen)
    ringed = f" Ringed in the chart: {candidate_of(row).words}." if row is not None else ""
    what = "" if wire.selection().candidate or not ringed else " It is the recommended candidate."
    st.caption(inert.markdown(f"Choose a row to open its trial.{ringed}{what}"))
    if row is not None and corpus != "none":
        whole = all_items_in_words(row, context.table, context.facts, scores)
        if whole:
            st.caption(inert.markdown(f"Published figures are over all items. Ringed: {whole}."))


page()
