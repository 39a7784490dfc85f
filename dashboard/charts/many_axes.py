"""All scores of a front at once: every score against every other, and parallel coordinates. No streamlit."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts.marks import BLUE, GREY, SIZES, Cards, hovers, laid_out, series_of
from dashboard.table import FRONT
from lethe.fronts.objectives import WISHES


def scatter_matrix(table: pd.DataFrame, scores: Sequence[str], cards: Cards, *, by_method: bool = False) -> go.Figure:
    """Every score against every other one."""
    figure = go.Figure()
    labels = [f"{inert.figure(s)}<br>({WISHES[cards[s].goal]})" for s in scores]
    for series in series_of(table, by_method=by_method):
        rows, size = series.rows, max(SIZES[series.group] - 3, 6)
        figure.add_trace(
            go.Splom(
                dimensions=[{"label": label, "values": rows[s]} for label, s in zip(labels, scores, strict=True)],
                name=series.name,
                customdata=rows["key"],
                text=hovers(rows, scores, ()),
                hovertemplate="%{text}<extra></extra>",
                marker={"symbol": series.symbol, "color": series.colour, "size": size},
                diagonal_visible=False,
                showupperhalf=False,
            )
        )
    figure = laid_out(figure, 180 * max(len(scores), 3) + 80)
    return figure.update_layout(legend={"orientation": "v", "x": 1, "xanchor": "right", "y": 1})


def parallel(table: pd.DataFrame, scores: Sequence[str], cards: Cards, parameters: Sequence[str] = ()) -> go.Figure:
    """Parallel coordinates of parameters and scores: drag along an axis to brush. Front lines are blue.

    A parameter that only some candidates have, as a method's own has where there are several, is left out.
    """
    front = (table["group"] == FRONT).astype(float)
    varied = [name for name in parameters if table[name].nunique() > 1 and table[name].notna().all()]
    dimensions = [dimension for name in varied if (dimension := _parameter_axis(table, name)) is not None]
    for score in scores:
        low, high = float(table[score].min()), float(table[score].max())
        ends = [10 * math.floor(low / 10), 10 * math.ceil(high / 10)] if low < high else [low - 1, low + 1]
        label = f"{inert.figure(score)} ({WISHES[cards[score].goal]})"
        dimensions.append({"label": label, "values": table[score], "range": ends})
    line = {"color": front, "colorscale": [[0, GREY], [1, BLUE]], "cmin": 0, "cmax": 1, "showscale": False}
    trace = go.Parcoords(dimensions=dimensions, line=line, unselected={"line": {"opacity": 0.05}}, labelangle=-20)
    figure = go.Figure(trace.update(rangefont={"color": "rgba(0,0,0,0)"}))  # the ticks say the ends already
    return laid_out(figure, 460).update_layout(margin={"l": 60, "r": 60, "t": 90, "b": 30})


def ticks_125(values: pd.Series) -> list[float]:
    """Ticks of a logarithmic axis over values: 1, 2 and 5 of each decade, or only 1 where there are many."""
    decades = range(math.floor(math.log10(values.min())), math.ceil(math.log10(values.max())) + 1)
    digits = (1, 2, 5) if len(decades) <= 4 else (1,)
    return [digit * 10.0**decade for decade in decades for digit in digits]


def _parameter_axis(table: pd.DataFrame, name: str) -> dict[str, Any] | None:
    values = table[name]
    if not pd.api.types.is_numeric_dtype(values):
        codes, names = pd.factorize(values.astype(str))
        ticks = {"tickvals": list(range(len(names))), "ticktext": [inert.figure(n, most=16) for n in names]}
        return {"label": inert.figure(name), "values": codes, **ticks}
    spread = values.max() / values.min() if len(values) and values.min() > 0 else 1.0
    if spread < 10:
        return {"label": inert.figure(name), "values": values}
    inside = [tick for tick in ticks_125(values) if values.min() <= tick <= values.max()]
    ticks = {"tickvals": np.log10(inside).tolist(), "ticktext": [f"{tick:g}" for tick in inside]}
    return {"label": f"{inert.figure(name)} (log)", "values": np.log10(values), **ticks}
