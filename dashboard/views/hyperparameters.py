"""Page Hyperparameters: importances for each objective, slices, contours; or that there are too few trials for them."""

import streamlit as st

from dashboard import data, wire
from dashboard.charts import landscape
from dashboard.table import thinned


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Hyperparameters", "What the parameters do to the scores.")
    parameters = context.study.parameters
    if not parameters or not len(context.study.candidates):
        st.info("No trial with scores yet.")
        return
    importance(context)
    left, middle, right = st.columns(3)
    with left:
        score = wire.pick("score", "score", context.scores, context.objectives[0].score)
    with middle:
        first = wire.pick("parameter", "parameter", parameters, parameters[0])
    with right:
        second = wire.pick("second parameter", "other", parameters, parameters[-1])
    table = context.table[context.table["state"] == "COMPLETE"]
    st.subheader("Slice", anchor=False)
    if table["trial"].nunique() < landscape.LEAST_SLICE:
        st.info(f"Too few trials: a slice says something from {landscape.LEAST_SLICE} on.")
    else:
        figure = landscape.slice_chart(
            thinned(table, 2000), first, context.cards[score], context.study.distributions[first]
        )
        wire.chart(figure, "slice", alt="A score over one parameter.", click=True)
    st.subheader("Contour", anchor=False)
    if not landscape.can_contour(table, first, second):
        st.info(f"A contour needs two different numeric parameters and {landscape.LEAST_CONTOUR} trials.")
    else:
        figure = landscape.contour_chart(table, first, second, context.cards[score], context.study.distributions)
        wire.chart(figure, "contour", alt="A score over two parameters.")
        st.caption("Every trial's last candidate; between the dots by linear interpolation.")


def importance(context: wire.Context) -> None:
    """Importances, or that there are too few trials."""
    st.subheader("Importance", anchor=False)
    done = int((context.study.trials["state"] == "COMPLETE").sum())
    table = data.importances_of(context.study, context.url)
    if table is None or table.empty:
        least = landscape.LEAST_IMPORTANCE
        st.info(f"Too few trials: {done} are complete. Below {least}, an importance is mostly noise, so none is shown.")
        return
    wire.chart(landscape.importance_chart(table), "importance", alt="Importance of each parameter for each objective.")
    over = f"{landscape.MOST_IMPORTANCE:,} of the trials" if done > landscape.MOST_IMPORTANCE else "the trials"
    st.caption(f"PED-ANOVA: how far a parameter tells the best tenth of {over} from the rest; shares of one.")


page()
