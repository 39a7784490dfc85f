"""Fronts in three dimensions: pure functions of a table of candidates that return plotly figures. No streamlit."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts.fronts import NOTHING, Beside
from dashboard.charts.marks import (
    GREEN,
    HEIGHT,
    ORANGE,
    PINK,
    Cards,
    Series,
    axis_title,
    hovers,
    interval_bars,
    laid_out,
    series_of,
)
from dashboard.table import FRONT

SOLID = {"circle", "circle-open", "diamond", "diamond-open", "square", "square-open", "cross"}  # plotly's in space
REFERENCES = {"target": ("square", ORANGE), "retrained": ("diamond-open", GREEN)}


def front_3d(table: pd.DataFrame, axes: Sequence[str], cards: Cards, beside: Beside = NOTHING) -> go.Figure:
    """Three scores of every candidate, as `charts.front_2d` draws two; a plane where one of them is best at 0."""
    figure = go.Figure()
    for series in series_of(table, by_method=beside.by_method):
        figure.add_trace(_candidates(series, axes, beside))
    if beside.trajectory is not None and len(beside.trajectory) > 1:
        figure.add_trace(_trajectory(beside.trajectory, axes))
    for name, scores in beside.references.items():
        if set(axes) <= scores.keys():
            symbol, colour = REFERENCES.get(name, ("square-open", GREEN))
            figure.add_trace(_labelled([scores[s][0] for s in axes], inert.figure(name), symbol, colour))
    if beside.published is not None and set(axes) <= set(beside.published.columns):
        figure.add_trace(_published(beside.published.dropna(subset=list(dict.fromkeys(axes))), axes))
    ringed = table[table["key"] == beside.chosen]
    if len(ringed):
        trace = _labelled(ringed.iloc[0][list(axes)].tolist(), beside.ring, "circle-open", PINK)
        figure.add_trace(trace.update(marker_size=14, mode="markers"))  # its label would lie on others
    titles = {f"{axis}axis_title": axis_title(cards[s], "z") for axis, s in zip("xyz", axes, strict=True)}
    eye = {"eye": {"x": 1.9, "y": 1.9, "z": 1.0}, "center_z": -0.12}  # far enough for a page of 800 pixels
    figure.update_scenes(**titles, aspectmode="cube", camera=eye)
    _zero_plane(figure, table, axes, cards)
    figure = laid_out(figure, HEIGHT + 60).update_layout(legend_y=-0.02, margin={"l": 0, "r": 0, "t": 10, "b": 0})
    return figure.update_layout(legend_itemsizing="constant")


def _places(rows: pd.DataFrame, axes: Sequence[str]) -> dict[str, pd.Series]:
    return {axis: rows[score] for axis, score in zip("xyz", axes, strict=True)}


def _candidates(series: Series, axes: Sequence[str], beside: Beside) -> go.Scatter3d:
    rows, known = series.rows, series.symbol in SOLID
    trace = go.Scatter3d(
        **_places(rows, axes),
        mode="markers",
        name=series.name,
        customdata=rows["key"],
        text=hovers(rows, axes, beside.parameters),
        hovertemplate="%{text}<extra></extra>",
        marker={
            "symbol": series.symbol if known else "square",  # an x is a letter there, which not every font has
            "color": series.colour,
            "size": 6 if series.group == FRONT else 4,
        },
    )
    if beside.bars(series.group, rows):
        trace.update({f"error_{axis}": interval_bars(rows, s) for axis, s in zip("xyz", axes, strict=True)})
    return trace


def _trajectory(rows: pd.DataFrame, axes: Sequence[str]) -> go.Scatter3d:
    ordered = rows.sort_values("at")
    return go.Scatter3d(
        **_places(ordered, axes),
        mode="lines",
        line={"width": 4, "color": PINK},
        name=f"course of trial {ordered['trial'].iloc[0]}, {inert.figure(ordered['role'].iloc[0])}",
        hoverinfo="skip",
    )


def _published(rows: pd.DataFrame, axes: Sequence[str]) -> go.Scatter3d:
    """Published figures, named where the pointer is: many lie close together, and their names on each other."""
    return go.Scatter3d(
        **_places(rows, axes),
        mode="markers",
        name="published (7B)",
        text=[inert.figure(method) for method in rows["method"]],
        hovertemplate="%{text}<br>%{x:.1f}, %{y:.1f}, %{z:.1f}<extra></extra>",
        marker={"symbol": "cross", "size": 3, "color": PINK},
    )


def _labelled(values: Sequence[float], name: str, symbol: str, colour: str) -> go.Scatter3d:
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
        marker={"symbol": symbol, "size": 8, "color": colour},
    )


def _zero_plane(figure: go.Figure, table: pd.DataFrame, axes: Sequence[str], cards: Cards) -> None:
    flat = next((s for s in axes if cards[s].good is not None), None)
    if flat is None or len(set(axes)) < 3 or not len(table):
        return
    first, second = (s for s in axes if s != flat)
    ends = {s: (float(table[s].min()), float(table[s].max())) for s in (first, second)}
    corners = {
        first: [[ends[first][0], ends[first][1]]] * 2,
        second: [[ends[second][0]] * 2, [ends[second][1]] * 2],
        flat: [[0.0, 0.0], [0.0, 0.0]],
    }
    x, y, z = (corners[s] for s in axes)
    scale = [[0, GREEN], [1, GREEN]]
    figure.add_trace(
        go.Surface(
            x=x,
            y=y,
            z=z,
            colorscale=scale,
            opacity=0.2,
            showscale=False,
            hoverinfo="skip",
            name=inert.figure(f"{flat} 0"),
        )
    )
