"""Fronts drawn: pure functions of a table of points that return plotly figures. No streamlit.

Group and role are told apart by the marker's shape and filling as well as by its colour (Okabe and Ito's palette, made
for colour-blind readers). Every axis says where better is.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.table import BEATEN, FRONT, GOOD_PRIVLEAK, GROUPS, INFEASIBLE, RUNNING, parameter_text, score_text
from lethe import pareto
from lethe.store import Objective

BLUE, VERMILLION, GREEN, ORANGE, PINK, GREY, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#CC79A7",
    "#8A8F98",
    "#56B4E9",
)
COLOURS = {FRONT: BLUE, BEATEN: GREY, INFEASIBLE: VERMILLION, RUNNING: PINK}
SYMBOLS = {
    (FRONT, "student"): "circle",
    (FRONT, "teacher"): "diamond",
    (BEATEN, "student"): "circle-open",
    (BEATEN, "teacher"): "diamond-open",
    (INFEASIBLE, "student"): "x",
    (INFEASIBLE, "teacher"): "cross",
    (RUNNING, "student"): "square-open",
    (RUNNING, "teacher"): "square",
}
SOLID = {(INFEASIBLE, "student"): "square"}  # in three dimensions an x is a letter, which not every font has
SIZES = {FRONT: 11, BEATEN: 7, INFEASIBLE: 6, RUNNING: 9}
REFERENCES = {"target": ("square", ORANGE), "retrained": ("diamond-open", GREEN)}  # also known in three dimensions
STARS = {"target": ("star", ORANGE), "retrained": ("hexagram", GREEN)}
WISHES = {"minimize": "low", "maximize": "high", "zero": "near 0"}
SIDES = {"x": {"minimize": "left", "maximize": "right"}, "y": {"minimize": "down", "maximize": "up"}}
WEBGL = 1500  # points above which the browser draws with the graphics card
HEIGHT = 560

Goals = Mapping[str, str]
References = Mapping[str, Mapping[str, Sequence[float]]]


def axis_title(score: str, goal: str, axis: str) -> str:
    """A score and where better is: `verbmem_f (better: left)`."""
    return f"{inert.figure(score)}  (better: {SIDES.get(axis, {}).get(goal, WISHES[goal])})"


def front_2d(
    table: pd.DataFrame,
    x: str,
    y: str,
    goals: Goals,
    *,
    parameters: Sequence[str] = (),
    references: References | None = None,
    published: pd.DataFrame | None = None,
    chosen: str = "",
    trajectory: pd.DataFrame | None = None,
    intervals: bool = True,
) -> go.Figure:
    """Two scores of every point: groups and roles by marker, intervals of the front as bars, references as stars.

    `chosen` is the key of a point that gets a ring; `trajectory` the points of a trial and role, joined by step.
    """
    figure = go.Figure()
    _privleak_lines(figure, x, y)
    for group in GROUPS:
        for role in ("student", "teacher"):
            rows = table[(table["group"] == group) & (table["role"] == role)]
            if len(rows):
                bars = intervals and group == FRONT and len(rows) <= 200
                figure.add_trace(_points_2d(rows, x, y, group, role, parameters, bars=bars))
    if trajectory is not None and len(trajectory) > 1:
        figure.add_trace(_trajectory(trajectory, x, y))
    _edge(figure, table, x, y, goals)
    for name, scores in (references or {}).items():
        _reference_2d(figure, name, scores, x, y, intervals=intervals)
    if published is not None:
        figure.add_trace(_published(published, x, y))
    ring = table[table["key"] == chosen]
    if len(ring):
        figure.add_trace(_ring(ring, x, y))
    figure.update_xaxes(title=axis_title(x, goals[x], "x"), zeroline=False)
    figure.update_yaxes(title=axis_title(y, goals[y], "y"), zeroline=False)
    return _laid_out(figure)


def _points_2d(
    rows: pd.DataFrame, x: str, y: str, group: str, role: str, parameters: Sequence[str], *, bars: bool
) -> go.Scatter | go.Scattergl:
    kind = go.Scattergl if len(rows) > WEBGL else go.Scatter
    return kind(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name=f"{group}, {role}",
        customdata=rows["key"],
        text=[hover(row, (x, y), parameters) for _, row in rows.iterrows()],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "symbol": SYMBOLS[group, role],
            "color": COLOURS[group],
            "size": SIZES[group],
            "line": {"width": 1.4 if group in (BEATEN, RUNNING) else 0, "color": COLOURS[group]},
            "opacity": 1.0 if group in (FRONT, RUNNING) else 0.75,
        },
        error_x=_bars(rows, x) if bars else None,
        error_y=_bars(rows, y) if bars else None,
        # A click selects a point; the others keep their look, so that the chart does not fade.
        unselected={"marker": {"opacity": 1.0 if group in (FRONT, RUNNING) else 0.75}},
    )


def hover(row: pd.Series, scores: Sequence[str], parameters: Sequence[str]) -> str:
    """What a point says when the pointer is on it."""
    head = f"trial {row['trial']}, step {row['step']}, {row['role']} ({row['group']})"
    shown = [f"{score}: {score_text(row, score)}" for score in dict.fromkeys(scores)]
    recipe = ", ".join(f"{name} {parameter_text(row[name])}" for name in parameters)
    return "<br>".join(inert.figure(line, most=90) for line in (head, *shown, recipe) if line)


def _bars(rows: pd.DataFrame, score: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows[f"{score}_high"] - rows[score]).clip(lower=0),
        "arrayminus": (rows[score] - rows[f"{score}_low"]).clip(lower=0),
        "thickness": 1,
        "width": 3,
        "color": "rgba(0,130,200,0.7)",
    }


def _edge(figure: go.Figure, table: pd.DataFrame, x: str, y: str, goals: Goals) -> None:
    """The stairs joining the points that are best in these two scores alone; not where 0 is best, which bends them."""
    if x == y or "zero" in (goals[x], goals[y]):
        return
    rows = table[table["group"].isin((FRONT, BEATEN))].dropna(subset=[x, y])
    if not len(rows):
        return
    losses = np.column_stack([Objective(score=s, goal=goals[s]).loss(rows[s].to_numpy(float)) for s in (x, y)])
    best = rows[pareto.nondominated(losses)].sort_values(x, ascending=goals[x] == "minimize")
    figure.add_trace(
        go.Scatter(
            x=best[x],
            y=best[y],
            mode="lines",
            line={"shape": "hv", "width": 1.5, "dash": "dot", "color": BLUE},
            name="best in these two",
            hoverinfo="skip",
        )
    )


def _trajectory(rows: pd.DataFrame, x: str, y: str) -> go.Scatter:
    ordered = rows.sort_values("step")
    return go.Scatter(
        x=ordered[x],
        y=ordered[y],
        mode="lines+text",
        text=[f" {step}" for step in ordered["step"]],
        textposition="middle right",
        textfont={"size": 10},
        line={"width": 2, "color": ORANGE},
        name=f"steps of trial {ordered['trial'].iloc[0]}, {ordered['role'].iloc[0]}",
        hoverinfo="skip",
    )


def _ring(rows: pd.DataFrame, x: str, y: str) -> go.Scatter:
    return go.Scatter(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name="chosen",
        marker={"symbol": "circle-open", "size": 24, "color": ORANGE, "line": {"width": 3}},
        hoverinfo="skip",
    )


def _reference_2d(
    figure: go.Figure, name: str, scores: Mapping[str, Sequence[float]], x: str, y: str, *, intervals: bool
) -> None:
    if x not in scores or y not in scores:
        return
    symbol, colour = STARS.get(name, ("star-triangle-up", GREEN))
    row = pd.DataFrame(
        {f"{s}{end}": [scores[s][i]] for s in (x, y) for i, end in enumerate(("", "_low", "_high"))}, dtype=float
    )
    measured = intervals and bool(np.isfinite(row.to_numpy()).all())
    figure.add_trace(
        go.Scatter(
            x=row[x],
            y=row[y],
            mode="markers",
            name=inert.figure(name),
            hovertemplate=f"{inert.figure(name)} model<br>%{{x:.1f}}, %{{y:.1f}}<extra></extra>",
            marker={"symbol": symbol, "size": 16, "color": colour, "line": {"width": 1, "color": "rgba(90,90,90,0.9)"}},
            error_x=_bars(row, x) if measured else None,
            error_y=_bars(row, y) if measured else None,
        )
    )


def _published(rows: pd.DataFrame, x: str, y: str) -> go.Scatter:
    known = rows.dropna(subset=[s for s in (x, y) if s in rows]) if {x, y} <= set(rows.columns) else rows.iloc[:0]
    return go.Scatter(
        x=known.get(x),
        y=known.get(y),
        mode="markers+text",
        name="published (7B)",
        text=[inert.figure(name) for name in known["method"]],
        textposition="top center",
        textfont={"size": 10, "color": GREY},
        customdata=known["source"],
        hovertemplate="%{text}: %{x:.1f}, %{y:.1f}<br>%{customdata}<extra></extra>",
        marker={"symbol": "triangle-up", "size": 10, "color": PINK},
    )


def _privleak_lines(figure: go.Figure, x: str, y: str) -> None:
    """PrivLeak's zero line, and the band from -5 to 5 that MUSE calls good."""
    if "privleak" in (x, y):
        axis = "x" if x == "privleak" else "y"
        band, line = (figure.add_vrect, figure.add_vline) if axis == "x" else (figure.add_hrect, figure.add_hline)
        edges = {f"{axis}0": -GOOD_PRIVLEAK, f"{axis}1": GOOD_PRIVLEAK}
        note = {"annotation_text": "0 ±5: no leak", "annotation_position": "top left", "annotation_font_size": 11}
        band(**edges, fillcolor=GREEN, opacity=0.15, line_width=0, **note)
        line(**{axis: 0}, line={"color": GREEN, "width": 1.5})


def _laid_out(figure: go.Figure, height: int = HEIGHT) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0},
        hovermode="closest",
        uirevision="kept",  # zoom and hidden traces outlive a refresh
    )
    return figure


def front_3d(
    table: pd.DataFrame,
    axes: Sequence[str],
    goals: Goals,
    *,
    parameters: Sequence[str] = (),
    references: References | None = None,
    published: pd.DataFrame | None = None,
    chosen: str = "",
) -> go.Figure:
    """Three scores of every point; the plane where PrivLeak is 0 is drawn where it is one of them."""
    x, y, z = axes
    figure = go.Figure()
    for group in GROUPS:
        for role in ("student", "teacher"):
            rows = table[(table["group"] == group) & (table["role"] == role)]
            if len(rows):
                figure.add_trace(
                    go.Scatter3d(
                        x=rows[x],
                        y=rows[y],
                        z=rows[z],
                        mode="markers",
                        name=f"{group}, {role}",
                        customdata=rows["key"],
                        text=[hover(row, axes, parameters) for _, row in rows.iterrows()],
                        hovertemplate="%{text}<extra></extra>",
                        marker={
                            "symbol": SOLID.get((group, role), SYMBOLS[group, role]),
                            "color": COLOURS[group],
                            "size": 6 if group == FRONT else 4,
                        },
                    )
                )
    for name, scores in (references or {}).items():
        if set(axes) <= scores.keys():
            symbol, colour = REFERENCES.get(name, ("square-open", GREEN))
            figure.add_trace(_labelled_3d([scores[s][0] for s in axes], inert.figure(name), symbol, colour))
    if published is not None and set(axes) <= set(published.columns):
        for _, row in published.dropna(subset=list(dict.fromkeys(axes))).iterrows():
            trace = _labelled_3d([row[s] for s in axes], inert.figure(row["method"]), "cross", PINK)
            figure.add_trace(trace.update(showlegend=False, marker_size=3))
    ring = table[table["key"] == chosen]
    if len(ring):
        figure.add_trace(_labelled_3d(ring.iloc[0][list(axes)].tolist(), "chosen", "circle-open", ORANGE))
    titles = {f"{axis}axis_title": axis_title(s, goals[s], "z") for axis, s in zip("xyz", axes, strict=True)}
    figure.update_scenes(**titles, aspectmode="cube", camera={"eye": {"x": 1.7, "y": 1.7, "z": 0.9}, "center_z": -0.12})
    _privleak_plane(figure, table, axes)
    return _laid_out(figure, HEIGHT + 120).update_layout(legend_y=-0.02, margin={"l": 0, "r": 0, "t": 10, "b": 0})


def _labelled_3d(values: Sequence[float], name: str, symbol: str, colour: str) -> go.Scatter3d:
    return go.Scatter3d(
        x=[values[0]],
        y=[values[1]],
        z=[values[2]],
        mode="markers+text",
        name=name,
        text=[name],
        textposition="top center",
        textfont={"size": 11, "color": colour},
        hovertemplate=f"{name}<br>%{{x:.1f}}, %{{y:.1f}}, %{{z:.1f}}<extra></extra>",
        marker={"symbol": symbol, "size": 8 if name != "chosen" else 14, "color": colour},
    )


def _privleak_plane(figure: go.Figure, table: pd.DataFrame, axes: Sequence[str]) -> None:
    if "privleak" not in axes or len(set(axes)) < 3 or not len(table):
        return
    first, second = (s for s in axes if s != "privleak")
    ends = {s: (float(table[s].min()), float(table[s].max())) for s in (first, second)}
    corners = {
        first: [[ends[first][0], ends[first][1]]] * 2,
        second: [[ends[second][0]] * 2, [ends[second][1]] * 2],
        "privleak": [[0.0, 0.0], [0.0, 0.0]],
    }
    x, y, z = (corners[s] for s in axes)
    scale = [[0, GREEN], [1, GREEN]]
    figure.add_trace(
        go.Surface(x=x, y=y, z=z, colorscale=scale, opacity=0.2, showscale=False, hoverinfo="skip", name="privleak 0")
    )


def scatter_matrix(table: pd.DataFrame, scores: Sequence[str], goals: Goals) -> go.Figure:
    """Every score against every other one."""
    figure = go.Figure()
    labels = [f"{inert.figure(s)}<br>({WISHES[goals[s]]})" for s in scores]
    for group in GROUPS:
        for role in ("student", "teacher"):
            rows = table[(table["group"] == group) & (table["role"] == role)]
            if len(rows):
                figure.add_trace(
                    go.Splom(
                        dimensions=[
                            {"label": label, "values": rows[s]} for label, s in zip(labels, scores, strict=True)
                        ],
                        name=f"{group}, {role}",
                        customdata=rows["key"],
                        text=[hover(row, scores, ()) for _, row in rows.iterrows()],
                        hovertemplate="%{text}<extra></extra>",
                        marker={"symbol": SYMBOLS[group, role], "color": COLOURS[group], "size": SIZES[group] - 3},
                        diagonal_visible=False,
                        showupperhalf=False,
                    )
                )
    figure = _laid_out(figure, 180 * max(len(scores), 3) + 80)
    return figure.update_layout(legend={"orientation": "v", "x": 1, "xanchor": "right", "y": 1})


def parallel(table: pd.DataFrame, scores: Sequence[str], goals: Goals, parameters: Sequence[str] = ()) -> go.Figure:
    """Parallel coordinates of parameters and scores: drag along an axis to brush. Front lines are blue."""
    front = (table["group"] == FRONT).astype(float)
    dimensions = [dimension for name in parameters if (dimension := _parameter_axis(table, name)) is not None]
    for score in scores:
        low, high = float(table[score].min()), float(table[score].max())
        ends = [10 * math.floor(low / 10), 10 * math.ceil(high / 10)] if low < high else [low - 1, low + 1]
        label = f"{inert.figure(score)} ({WISHES[goals[score]]})"
        dimensions.append({"label": label, "values": table[score], "range": ends})
    line = {"color": front, "colorscale": [[0, GREY], [1, BLUE]], "cmin": 0, "cmax": 1, "showscale": False}
    figure = go.Figure(go.Parcoords(dimensions=dimensions, line=line, unselected={"line": {"opacity": 0.05}}))
    return _laid_out(figure, 460).update_layout(margin={"l": 60, "r": 60, "t": 60, "b": 30})


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
