"""Fronts drawn: pure functions of a table of candidates that return plotly figures. No streamlit.

Group and role are told apart by the marker's shape and filling as well as by its colour (Okabe and Ito's palette, made
for colour-blind readers). Every axis says where better is.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts import attainment
from dashboard.charts.labels import Room
from dashboard.table import (
    BEATEN,
    FRONT,
    GROUPS,
    INFEASIBLE,
    RUNNING,
    STAYS,
    by_role,
    candidate_of,
    recipes,
    score_texts,
)
from lethe.analysis.items import split_scores
from lethe.fronts import pareto
from lethe.fronts.objectives import WISHES, Objective
from lethe.store.cards import Card
from lethe.store.parameters import METHOD
from lethe.store.places import Place

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
SYMBOLS = {  # of each role, by its mark
    FRONT: ("circle", "diamond", "pentagon", "hexagon"),
    BEATEN: ("circle-open", "diamond-open", "pentagon-open", "hexagon-open"),
    INFEASIBLE: ("x", "cross", "x-thin-open", "cross-thin-open"),
    RUNNING: ("square-open", "square", "square-cross-open", "square-x-open"),
}
METHODS = (BLUE, VERMILLION, "#117733", "#882255", SKY, "#332288", "#999933", ORANGE)  # where methods are told apart
SIZES = {FRONT: 11, BEATEN: 7, INFEASIBLE: 6, RUNNING: 9}
STARS = {"target": ("star", ORANGE), "retrained": ("hexagram", GREEN)}
SIDES = {"x": {"minimize": "left", "maximize": "right"}, "y": {"minimize": "down", "maximize": "up"}}
WEBGL = 1500  # candidates above which the browser draws with the graphics card
HEIGHT = 560
MOST_BARS = 200  # candidates of a front whose intervals are drawn

Cards = Mapping[str, Card]
References = Mapping[str, Mapping[str, Sequence[float]]]


def axis_title(card: Card, axis: str) -> str:
    """A score and where better is: `a score (better: left)`."""
    band = f"; green: ±{card.good:g}" if card.good is not None and axis in SIDES else ""
    return f"{inert.figure(card.name)}  (better: {SIDES.get(axis, {}).get(card.goal, WISHES[card.goal])}{band})"


def symbol_of(group: str, mark: int) -> str:
    """The marker of a group's candidates of a role."""
    return SYMBOLS[group][mark % len(SYMBOLS[group])]


@dataclass(frozen=True, eq=False)
class Series:
    """Candidates that are drawn alike."""

    rows: pd.DataFrame
    group: str
    symbol: str
    colour: str
    name: str


def series_of(table: pd.DataFrame, *, by_method: bool = False) -> Iterator[Series]:
    """A table's candidates by group and role, the front last; with `by_method` the colour tells the method.

    The methods with most candidates on the front have colours of their own, any others are grey.
    """
    methods = table[METHOD] if by_method else pd.Series("", index=table.index)
    front = (table["group"] == FRONT).groupby(methods).sum().sort_values(ascending=False, kind="stable")
    colours = dict(zip(front.index, METHODS, strict=False))
    for group in GROUPS:
        for method in front.index:
            colour = colours.get(method, GREY) if by_method else COLOURS[group]
            for mark, role, rows in by_role(table[(table["group"] == group) & (methods == method)]):
                name = f"{method}: {group}, {role}" if by_method else f"{group}, {role}"
                yield Series(rows, group, symbol_of(group, mark), colour, inert.figure(name))


@dataclass(frozen=True, kw_only=True, eq=False)
class Beside:
    """What a front shows beside its candidates."""

    parameters: Sequence[str] = ()  # that a candidate names when the pointer is on it
    references: References = field(default_factory=dict)  # drawn as stars
    published: pd.DataFrame | None = None
    chosen: str = ""  # key of the candidate that gets a ring
    ring: str = "chosen"  # what the ring is called
    trajectory: pd.DataFrame | None = None  # candidates of a trial and role on one axis, joined in their order
    intervals: bool = True  # whether the front and the references have theirs
    by_method: bool = False  # whether the colour of a candidate tells its method, not its group
    runs: pd.DataFrame = field(default_factory=pd.DataFrame)  # of the front's points by seed, whose band is drawn

    def bars(self, group: str, rows: pd.DataFrame) -> bool:
        """Whether the intervals of a group's candidates are drawn."""
        return self.intervals and group == FRONT and len(rows) <= MOST_BARS


NOTHING = Beside()


def front_2d(table: pd.DataFrame, x: str, y: str, cards: Cards, beside: Beside = NOTHING) -> go.Figure:
    """Two scores of every candidate: groups and roles by marker, the front with intervals, references as stars."""
    figure = go.Figure()
    bands(figure, cards[x], cards[y])
    figure.add_traces(attainment.band(beside.runs, x, y, cards))
    for series in series_of(table, by_method=beside.by_method):
        figure.add_trace(_points_2d(series, x, y, beside))
    known = _known(beside.published, x, y)
    course = table.iloc[:0] if beside.trajectory is None else beside.trajectory.sort_values("at")
    room = _room(table, known, course, x, y, beside)
    _keep_off_zero(room, table, cards[x], cards[y])
    if len(known):
        figure.add_trace(_published(known, x, y, room))
    if len(course) > 1:
        figure.add_trace(_trajectory(course, x, y, room))
    _edge(figure, table, x, y, cards)
    for name, scores in beside.references.items():
        reference_2d(figure, name, scores, x, y, intervals=beside.intervals)
    ringed = table[table["key"] == beside.chosen]
    if len(ringed):
        figure.add_trace(ringed_2d(ringed, x, y, beside.ring))
    figure.update_xaxes(title=axis_title(cards[x], "x"), zeroline=False)
    figure.update_yaxes(title=axis_title(cards[y], "y"), zeroline=False)
    return laid_out(figure)


def _room(table: pd.DataFrame, known: pd.DataFrame, course: pd.DataFrame, x: str, y: str, beside: Beside) -> Room:
    """The room that candidates, intervals, the course, the references and the ring leave for labels."""
    stars = [scores for scores in beside.references.values() if x in scores and y in scores]
    room = Room(
        [*table[x], *known[x], *(scores[x][0] for scores in stars)],
        [*table[y], *known[y], *(scores[y][0] for scores in stars)],
    )
    room.line(course[x].tolist(), course[y].tolist())
    front = table[table["group"] == FRONT]
    barred = front if beside.bars(FRONT, front) else front.iloc[:0]
    for _, row in barred.iterrows():
        room.line([row[f"{x}_low"], row[f"{x}_high"]], [row[y], row[y]])
        room.line([row[x], row[x]], [row[f"{y}_low"], row[f"{y}_high"]])
    for _, row in table[table["key"] == beside.chosen].iterrows():
        room.ring(row[x], row[y])
    for scores in stars:
        room.ring(scores[x][0], scores[y][0])
    return room


def _keep_off_zero(room: Room, table: pd.DataFrame, x: Card, y: Card) -> None:
    """Keep labels off the lines where 0 is best."""
    if x.good is not None:
        room.line([0, 0], [table[y.name].min(), table[y.name].max()])
    if y.good is not None:
        room.line([table[x.name].min(), table[x.name].max()], [0, 0])


def _points_2d(series: Series, x: str, y: str, beside: Beside) -> go.Scatter | go.Scattergl:
    rows, group = series.rows, series.group
    bars = beside.bars(group, rows)
    colour = {"colour": series.colour} if beside.by_method else {}
    kind = go.Scattergl if len(rows) > WEBGL else go.Scatter
    return kind(
        x=rows[x],
        y=rows[y],
        mode="markers",
        customdata=rows["key"],
        name=series.name,
        text=hovers(rows, (x, y), beside.parameters),
        hovertemplate="%{text}<extra></extra>",
        marker={
            "symbol": series.symbol,
            "color": series.colour,
            "size": SIZES[group],
            "line": {"width": 1.4 if group in (BEATEN, RUNNING) else 0, "color": series.colour},
            "opacity": 1.0 if group in (FRONT, RUNNING) else 0.75,
        },
        error_x=interval_bars(rows, x, **colour) if bars else None,
        error_y=interval_bars(rows, y, **colour) if bars else None,
        # A click selects a candidate; the others keep their look, so that the chart does not fade.
        unselected={"marker": {"opacity": 1.0 if group in (FRONT, RUNNING) else 0.75}},
    )


def hovers(rows: pd.DataFrame, scores: Sequence[str], parameters: Sequence[str]) -> list[str]:
    """What each candidate says when the pointer is on it."""
    lines = [[f"{inert.figure(candidate_of(row).words)} ({row['group']})" for row in rows.to_dict("records")]]
    lines += [
        [f"{inert.figure(score)}: {text}" for text in score_texts(rows, score)] for score in dict.fromkeys(scores)
    ]
    if STAYS in rows:
        lines.append([f"{STAYS}: {said or 'not looked at'}" for said in rows[STAYS]])
    if parameters:
        lines.append([inert.figure(text, most=90) for text in recipes(rows, parameters)])
    return ["<br>".join(parts) for parts in zip(*lines, strict=True)]


def interval_bars(rows: pd.DataFrame, score: str, colour: str = "rgba(0,130,200,0.7)") -> dict[str, Any]:
    """The 95% intervals of a score as plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows[f"{score}_high"] - rows[score]).clip(lower=0),
        "arrayminus": (rows[score] - rows[f"{score}_low"]).clip(lower=0),
        "thickness": 1,
        "width": 3,
        "color": colour,
    }


def _edge(figure: go.Figure, table: pd.DataFrame, x: str, y: str, cards: Cards) -> None:
    """The stairs of all feasible candidates, through what is drawn: it may leave out candidates that were chosen."""
    best = best_in_two(table[table["group"].isin((FRONT, BEATEN))], x, y, cards)
    halved = " (by the items that report)" if {x, y} & {*split_scores(table)} else ""
    if len(best):
        figure.add_trace(stairs(best, x, y, BLUE).update(name=f"best in these two{halved}"))


def best_in_two(rows: pd.DataFrame, x: str, y: str, cards: Cards) -> pd.DataFrame:
    """The rows that are the best in these two scores alone, along x; none where 0 is best, which bends their line."""
    rows = rows.dropna(subset=[x, y])
    if x == y or "zero" in (cards[x].goal, cards[y].goal) or not len(rows):
        return rows.iloc[:0]
    losses = np.column_stack([Objective(score=s, goal=cards[s].goal).loss(rows[s].to_numpy(float)) for s in (x, y)])
    return rows[pareto.nondominated(losses)].sort_values(x, ascending=cards[x].goal == "minimize")


def stairs(best: pd.DataFrame, x: str, y: str, colour: str) -> go.Scatter:
    """The line that joins the best in two scores."""
    line = {"shape": "hv", "width": 1.5, "dash": "dot", "color": colour}
    return go.Scatter(x=best[x], y=best[y], mode="lines", line=line, hoverinfo="skip")


def _trajectory(ordered: pd.DataFrame, x: str, y: str, room: Room) -> go.Scatter:
    texts, positions = _labels(
        room, ordered[x], ordered[y], [Place.of(row).where for row in ordered.to_dict("records")]
    )
    return go.Scatter(
        x=ordered[x],
        y=ordered[y],
        mode="lines+markers+text",
        marker={"size": 14, "color": "rgba(0,0,0,0)"},  # keeps the labels off the candidates
        text=texts,
        textposition=positions,
        textfont={"size": 12, "color": GREY},
        line={"width": 2, "color": PINK},
        name=f"course of trial {ordered['trial'].iloc[0]}, {inert.figure(ordered['role'].iloc[0])}",
        hoverinfo="skip",
    )


def ringed_2d(rows: pd.DataFrame, x: str, y: str, name: str) -> go.Scatter:
    """A ring around candidates."""
    return go.Scatter(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name=name,
        marker={"symbol": "circle-open", "size": 24, "color": PINK, "line": {"width": 3}},
        hoverinfo="skip",
    )


def reference_2d(
    figure: go.Figure, name: str, scores: Mapping[str, Sequence[float]], x: str, y: str, *, intervals: bool
) -> None:
    """A reference model as a star, with its intervals."""
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


def bands(figure: go.Figure, x: Card, y: Card, *, lines: bool = True) -> None:
    """The band around 0 that is good, of each axis that has one, and the line where it is best."""
    for axis, card in {"x": x, "y": y}.items():
        if card.good is None:
            continue
        band, line = (figure.add_vrect, figure.add_vline) if axis == "x" else (figure.add_hrect, figure.add_hline)
        edges = {f"{axis}0": -card.good, f"{axis}1": card.good}
        band(**edges, fillcolor=GREEN, opacity=0.15, line_width=0)
        if lines:
            line(**{axis: 0}, line={"color": GREEN, "width": 1.5})


def laid_out(figure: go.Figure, height: int = HEIGHT) -> go.Figure:
    """A front's height, margins and legend."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0},
        hovermode="closest",
        uirevision="kept",  # of a figure with the same data: Streamlit makes one with other data anew, zoom and all
    )
    return figure


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
