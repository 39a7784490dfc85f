"""Page Hyperparameters: importances for each objective, slices, contours; or that there are too few trials for them."""

import streamlit as st

from dashboard import data, wire
from dashboard.charts import landscape
from dashboard.table import thinned
from lethe.store.parameters import METHOD, belongs


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Hyperparameters", "What the parameters do to the scores.")
    if not context.study.parameters or not len(context.study.candidates):
        st.info("No trial with scores yet.")
        return
    method = choose_method(context)
    own = own_of(context, method)
    parameters = [METHOD, *own] if method else own
    importance(context, method)
    left, middle, right = st.columns(3)
    with left:
        score = wire.pick("score", "score", context.scores, context.objectives[0].score)
    with middle:
        first = wire.pick("parameter", "parameter", parameters, own[0])
    with right:
        second = wire.pick("second parameter", "other", parameters, parameters[-1])
    table = context.table[context.table["state"] == "COMPLETE"].dropna(subset=[first])
    st.subheader("Slice", anchor=False)
    if table["trial"].nunique() < landscape.LEAST_SLICE:
        st.info(f"Too few trials: a slice says something from {landscape.LEAST_SLICE} on.")
    else:
        figure = landscape.slice_chart(
            thinned(table, 2000), first, context.cards[score], context.study.distributions[first]
        )
        wire.chart(figure, "slice", alt="A score over one parameter.", click=True)
    st.subheader("Contour", anchor=False)
    table = table.dropna(subset=[second])
    if not landscape.can_contour(table, first, second):
        st.info(f"A contour needs two different numeric parameters and {landscape.LEAST_CONTOUR} trials.")
    else:
        figure = landscape.contour_chart(table, first, second, context.cards[score], context.study.distributions)
        wire.chart(figure, "contour", alt="A score over two parameters.")
        st.caption("Every trial's last candidate; between the dots by linear interpolation.")


def choose_method(context: wire.Context) -> str:
    """Of several methods, each with settings of its own, the one that is looked at; "" where there is one."""
    if METHOD not in context.study.parameters:
        return ""
    methods = sorted(context.study.candidates[METHOD].unique())
    return wire.pick("method", "method", methods, methods[0])


def own_of(context: wire.Context, method: str) -> list[str]:
    """The parameters that trials of a method have, or all where there is one."""
    return [name for name in context.study.parameters if name != METHOD and belongs(name, {METHOD: method})]


def importance(context: wire.Context, method: str) -> None:
    """Importances, of a method's settings where there are several, or that there are too few trials."""
    st.subheader("Importance", anchor=False)
    trials = context.study.distinct_trials[context.study.distinct_trials["state"] == "COMPLETE"]
    done = int((trials[METHOD] == method).sum()) if method else len(trials)
    table = data.importances_of(context.study, context.url, method)
    if table is None or table.empty:
        least = landscape.LEAST_IMPORTANCE
        st.info(f"Too few trials: {done} are complete. Below {least}, an importance is mostly noise, so none is shown.")
        return
    wire.chart(landscape.importance_chart(table), "importance", alt="Importance of each parameter for each objective.")
    over = f"{landscape.MOST_IMPORTANCE:,} of the trials" if done > landscape.MOST_IMPORTANCE else "the trials"
    st.caption(f"PED-ANOVA: how far a parameter tells the best tenth of {over} from the rest; shares of one.")


page()
