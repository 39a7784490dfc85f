"""The marks of a front's charts: what a candidate, a reference, an interval and an axis look like. No streamlit.

Group and role are told apart by the marker's shape and filling as well as by its colour (Okabe and Ito's palette, made
for colour-blind readers). Every axis says where better is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
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
from lethe.fronts.objectives import WISHES
from lethe.store.cards import Card
from lethe.store.parameters import METHOD

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
HEIGHT = 560

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


def stairs(best: pd.DataFrame, x: str, y: str, colour: str) -> go.Scatter:
    """The line that joins the best in two scores."""
    line = {"shape": "hv", "width": 1.5, "dash": "dot", "color": colour}
    return go.Scatter(x=best[x], y=best[y], mode="lines", line=line, hoverinfo="skip")


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
