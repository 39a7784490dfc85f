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
from dashboard.charts.labels import Room
from dashboard.table import BEATEN, FRONT, GOOD_PRIVLEAK, GROUPS, INFEASIBLE, RUNNING, recipes, score_texts
from lethe.fronts import pareto
from lethe.fronts.objectives import Objective
from lethe.store.facts import ROLES

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
SIZES = {FRONT: 11, BEATEN: 7, INFEASIBLE: 6, RUNNING: 9}
STARS = {"target": ("star", ORANGE), "retrained": ("hexagram", GREEN)}
WISHES = {"minimize": "low", "maximize": "high", "zero": "near 0"}
SIDES = {"x": {"minimize": "left", "maximize": "right"}, "y": {"minimize": "down", "maximize": "up"}}
WEBGL = 1500  # points above which the browser draws with the graphics card
HEIGHT = 560
MOST_BARS = 200  # points of a front whose intervals are drawn

Goals = Mapping[str, str]
References = Mapping[str, Mapping[str, Sequence[float]]]


def axis_title(score: str, goal: str, axis: str) -> str:
    """A score and where better is: `verbmem_f (better: left)`."""
    band = f"; green: ±{GOOD_PRIVLEAK:g}" if score == "privleak" and axis in SIDES else ""
    return f"{inert.figure(score)}  (better: {SIDES.get(axis, {}).get(goal, WISHES[goal])}{band})"


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
    ring: str = "chosen",
    trajectory: pd.DataFrame | None = None,
    intervals: bool = True,
) -> go.Figure:
    """Two scores of every point: groups and roles by marker, intervals of the front as bars, references as stars.

    `chosen` is the key of a point that gets a ring, which is named `ring`; `trajectory` holds the points of a trial and
    role, joined by step.
    """
    figure = go.Figure()
    _privleak_lines(figure, x, y)
    for group in GROUPS:
        for role in ROLES:
            rows = table[(table["group"] == group) & (table["role"] == role)]
            if len(rows):
                bars = intervals and group == FRONT and len(rows) <= MOST_BARS
                figure.add_trace(_points_2d(rows, x, y, group, role, parameters, bars=bars))
    known = _known(published, x, y)
    course = table.iloc[:0] if trajectory is None else trajectory.sort_values("step")
    room = _room(table, known, course, references or {}, x, y, chosen, intervals=intervals)
    if len(known):
        figure.add_trace(_published(known, x, y, room))
    if len(course) > 1:
        figure.add_trace(_trajectory(course, x, y, room))
    _edge(figure, table, x, y, goals)
    for name, scores in (references or {}).items():
        _reference_2d(figure, name, scores, x, y, intervals=intervals)
    ringed = table[table["key"] == chosen]
    if len(ringed):
        figure.add_trace(_ring(ringed, x, y, ring))
    figure.update_xaxes(title=axis_title(x, goals[x], "x"), zeroline=False)
    figure.update_yaxes(title=axis_title(y, goals[y], "y"), zeroline=False)
    return laid_out(figure)


def _room(
    table: pd.DataFrame,
    known: pd.DataFrame,
    course: pd.DataFrame,
    references: References,
    x: str,
    y: str,
    chosen: str,
    *,
    intervals: bool,
) -> Room:
    """The room that points, intervals, the course, the references and the ring leave for labels."""
    stars = [scores for scores in references.values() if x in scores and y in scores]
    room = Room(
        [*table[x], *known[x], *(scores[x][0] for scores in stars)],
        [*table[y], *known[y], *(scores[y][0] for scores in stars)],
    )
    if x == "privleak":
        room.line([0, 0], [table[y].min(), table[y].max()])
    if y == "privleak":
        room.line([table[x].min(), table[x].max()], [0, 0])
    room.line(course[x].tolist(), course[y].tolist())
    front = table[table["group"] == FRONT]
    barred = front if intervals and len(front) <= MOST_BARS else front.iloc[:0]
    for _, row in barred.iterrows():
        room.line([row[f"{x}_low"], row[f"{x}_high"]], [row[y], row[y]])
        room.line([row[x], row[x]], [row[f"{y}_low"], row[f"{y}_high"]])
    for _, row in table[table["key"] == chosen].iterrows():
        room.ring(row[x], row[y])
    for scores in stars:
        room.ring(scores[x][0], scores[y][0])
    return room


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
        text=hovers(rows, (x, y), parameters),
        hovertemplate="%{text}<extra></extra>",
        marker={
            "symbol": SYMBOLS[group, role],
            "color": COLOURS[group],
            "size": SIZES[group],
            "line": {"width": 1.4 if group in (BEATEN, RUNNING) else 0, "color": COLOURS[group]},
            "opacity": 1.0 if group in (FRONT, RUNNING) else 0.75,
        },
        error_x=interval_bars(rows, x) if bars else None,
        error_y=interval_bars(rows, y) if bars else None,
        # A click selects a point; the others keep their look, so that the chart does not fade.
        unselected={"marker": {"opacity": 1.0 if group in (FRONT, RUNNING) else 0.75}},
    )


def hovers(rows: pd.DataFrame, scores: Sequence[str], parameters: Sequence[str]) -> list[str]:
    """What each point says when the pointer is on it."""
    places = zip(rows["trial"], rows["step"], rows["role"], rows["group"], strict=True)
    lines = [[f"trial {trial}, step {step}, {role} ({group})" for trial, step, role, group in places]]
    lines += [
        [f"{inert.figure(score)}: {text}" for text in score_texts(rows, score)] for score in dict.fromkeys(scores)
    ]
    if parameters:
        lines.append([inert.figure(text, most=90) for text in recipes(rows, parameters)])
    return ["<br>".join(parts) for parts in zip(*lines, strict=True)]


def interval_bars(rows: pd.DataFrame, score: str) -> dict[str, Any]:
    """The 95% intervals of a score as plotly's error bars."""
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


def _trajectory(ordered: pd.DataFrame, x: str, y: str, room: Room) -> go.Scatter:
    texts, positions = _labels(room, ordered[x], ordered[y], [f"step {step}" for step in ordered["step"]])
    return go.Scatter(
        x=ordered[x],
        y=ordered[y],
        mode="lines+markers+text",
        marker={"size": 14, "color": "rgba(0,0,0,0)"},  # keeps the labels off the points
        text=texts,
        textposition=positions,
        textfont={"size": 12, "color": GREY},
        line={"width": 2, "color": PINK},
        name=f"steps of trial {ordered['trial'].iloc[0]}, {ordered['role'].iloc[0]}",
        hoverinfo="skip",
    )


def _ring(rows: pd.DataFrame, x: str, y: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name=name,
        marker={"symbol": "circle-open", "size": 24, "color": PINK, "line": {"width": 3}},
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
            error_x=interval_bars(row, x) if measured else None,
            error_y=interval_bars(row, y) if measured else None,
        )
    )


def _labels(room: Room, x: pd.Series, y: pd.Series, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Texts that find room, the others empty, and where each stands."""
    places = room.place(x.tolist(), y.tolist(), texts)
    kept = [inert.figure(text) if place else "" for text, place in zip(texts, places, strict=True)]
    return kept, [place or "top center" for place in places]


def _known(published: pd.DataFrame | None, x: str, y: str) -> pd.DataFrame:
    """The published figures that have both scores."""
    if published is None or not {x, y} <= set(published.columns):
        return pd.DataFrame({x: [], y: []}, dtype=float)
    return published.dropna(subset=[x, y])


def _published(known: pd.DataFrame, x: str, y: str, room: Room) -> go.Scatter:
    texts, positions = _labels(room, known[x], known[y], known["method"].tolist())
    return go.Scatter(
        x=known[x],
        y=known[y],
        mode="markers+text",
        name="published (7B)",
        text=texts,
        textposition=positions,
        textfont={"size": 12, "color": GREY},
        customdata=[f"{inert.figure(m)}<br>{inert.figure(t)}" for m, t in known[["method", "source"]].to_numpy()],
        hovertemplate="%{x:.1f}, %{y:.1f}<br>%{customdata}<extra></extra>",
        marker={"symbol": "triangle-up", "size": 10, "color": PINK},
    )


def _privleak_lines(figure: go.Figure, x: str, y: str) -> None:
    """PrivLeak's zero line, and the band from -5 to 5 that MUSE calls good."""
    if "privleak" in (x, y):
        axis = "x" if x == "privleak" else "y"
        band, line = (figure.add_vrect, figure.add_vline) if axis == "x" else (figure.add_hrect, figure.add_hline)
        edges = {f"{axis}0": -GOOD_PRIVLEAK, f"{axis}1": GOOD_PRIVLEAK}
        band(**edges, fillcolor=GREEN, opacity=0.15, line_width=0)
        line(**{axis: 0}, line={"color": GREEN, "width": 1.5})


def laid_out(figure: go.Figure, height: int = HEIGHT) -> go.Figure:
    """A front's height, margins and legend."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0},
        hovermode="closest",
        uirevision="kept",  # zoom and hidden traces outlive a refresh
    )
    return figure


def scatter_matrix(table: pd.DataFrame, scores: Sequence[str], goals: Goals) -> go.Figure:
    """Every score against every other one."""
    figure = go.Figure()
    labels = [f"{inert.figure(s)}<br>({WISHES[goals[s]]})" for s in scores]
    for group in GROUPS:
        for role in ROLES:
            rows = table[(table["group"] == group) & (table["role"] == role)]
            if len(rows):
                figure.add_trace(
                    go.Splom(
                        dimensions=[
                            {"label": label, "values": rows[s]} for label, s in zip(labels, scores, strict=True)
                        ],
                        name=f"{group}, {role}",
                        customdata=rows["key"],
                        text=hovers(rows, scores, ()),
                        hovertemplate="%{text}<extra></extra>",
                        marker={
                            "symbol": SYMBOLS[group, role],
                            "color": COLOURS[group],
                            "size": max(SIZES[group] - 3, 6),
                        },
                        diagonal_visible=False,
                        showupperhalf=False,
                    )
                )
    figure = laid_out(figure, 180 * max(len(scores), 3) + 80)
    return figure.update_layout(legend={"orientation": "v", "x": 1, "xanchor": "right", "y": 1})


def parallel(table: pd.DataFrame, scores: Sequence[str], goals: Goals, parameters: Sequence[str] = ()) -> go.Figure:
    """Parallel coordinates of parameters and scores: drag along an axis to brush. Front lines are blue."""
    front = (table["group"] == FRONT).astype(float)
    varied = [name for name in parameters if table[name].nunique() > 1]
    dimensions = [dimension for name in varied if (dimension := _parameter_axis(table, name)) is not None]
    for score in scores:
        low, high = float(table[score].min()), float(table[score].max())
        ends = [10 * math.floor(low / 10), 10 * math.ceil(high / 10)] if low < high else [low - 1, low + 1]
        label = f"{inert.figure(score)} ({WISHES[goals[score]]})"
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
