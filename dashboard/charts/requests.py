"""What is kept and what is left, from request to request. Pure functions of tables; no streamlit.

What has to stay is drawn through, what has to go is dashed, so that neither depends on colour alone.
"""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts.curves import plain
from dashboard.charts.marks import BLUE, GREEN, ORANGE, VERMILLION
from lethe.analysis.requests import Courses

STAYS, GOES = (BLUE, GREEN), (VERMILLION, ORANGE)


def successive(courses: Courses, before: Mapping[str, float]) -> go.Figure:
    """Every score behind each request, in the mean over seeds with the seeds' range; at 0 the target's own."""
    figure = go.Figure()
    for table, colours, dash, words in (
        (courses.kept, STAYS, "solid", "{}"),
        (courses.left(), GOES, "dash", "{} of what was asked for so far"),
    ):
        for (score, rows), colour in zip(table.groupby("score", sort=False), colours, strict=False):
            figure.add_trace(_line(rows, words.format(score), colour, dash, before.get(str(score))))
    return _dressed(figure, "requests made")


def grown(table: pd.DataFrame, before: Mapping[str, float]) -> go.Figure:
    """What is kept behind a request of one part, of two, ...: the mean over seeds with its 95% interval."""
    figure = go.Figure()
    for (score, rows), colour in zip(table.groupby("score", sort=False), STAYS, strict=False):
        ends = rows[["low", "high"]].to_numpy(float)
        spans = rows.assign(value=rows["mean"], low=ends[:, 0], high=ends[:, 1])
        figure.add_trace(_points(spans, str(score), colour, "solid", before.get(str(score))))
    return _dressed(figure, "parts of the forget set in the request")


def _line(rows: pd.DataFrame, name: str, colour: str, dash: str, before: float | None) -> go.Scatter:
    spans = rows.groupby("request")["value"].agg(value="mean", low="min", high="max").reset_index()
    return _points(spans, name, colour, dash, before)


def _points(spans: pd.DataFrame, name: str, colour: str, dash: str, before: float | None) -> go.Scatter:
    first = pd.DataFrame([{"request": 0, "value": before, "low": before, "high": before}] if before is not None else [])
    rows = pd.concat([first, spans[["request", "value", "low", "high"]]]) if len(first) else spans
    value = rows["value"].to_numpy(float)
    return go.Scatter(
        x=rows["request"],
        y=value,
        name=inert.figure(name),
        mode="lines+markers",
        line={"color": colour, "dash": dash},
        error_y={
            "type": "data",
            "array": rows["high"].to_numpy(float) - value,
            "arrayminus": value - rows["low"].to_numpy(float),
            "thickness": 1,
        },
    )


def _dressed(figure: go.Figure, x: str) -> go.Figure:
    figure.update_xaxes(title=f"{x} (0: the target)", dtick=1)
    figure.update_yaxes(title="score", rangemode="tozero")
    return plain(figure, 400)
