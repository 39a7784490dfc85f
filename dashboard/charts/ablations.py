"""An ablation drawn: forest plots, the fronts of its arms, their hypervolumes. Pure functions of tables; no streamlit.

What is clear is a filled marker, what is not an open one, so that neither depends on colour alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard import inert
from dashboard.charts.marks import BLUE, GREEN, GREY, ORANGE, VERMILLION, axis_title
from lethe.analysis.ablation import VOLUME
from lethe.analysis.cells import number
from lethe.analysis.verdicts import score_name
from lethe.fronts import pareto
from lethe.fronts.objectives import loss_array
from lethe.store.facts import Facts
from lethe.store.places import Place

ROW, AROUND = 30, 110  # pixels of a row, and of title and axis
BETTER, WORSE, UNSURE = "clearly better", "clearly worse", "not clear"
LOOKS = {BETTER: ("circle", BLUE), WORSE: ("square", VERMILLION), UNSURE: ("circle-open", GREY)}
REFERENCE_LOOKS = {"target": ("square", ORANGE), "retrained": ("diamond-open", GREEN)}
WISHES = {"minimize": "left", "maximize": "right", "zero": "left"}
COLUMNS = 3


def forest(effects: pd.DataFrame, score: str) -> go.Figure:
    """Every arm's difference to the baseline in one score, with its 95% interval; an arm without one is named too."""
    rows = effects[effects["score"] == score]
    goal = rows["goal"].iloc[0]
    figure = go.Figure()
    for group, (symbol, colour) in LOOKS.items():
        own = rows[[verdict_of(row) == group for row in rows.to_dict("records")]]
        own = own[own["value"].notna()]
        if len(own):
            figure.add_trace(with_intervals(own, "effect", group, symbol, colour, 3 if score == VOLUME else 1))
    for name in rows.loc[rows["value"].isna(), "effect"]:
        figure.add_annotation(x=0, y=inert.figure(name), text="no run ended", showarrow=False, font={"color": GREY})
    figure.add_vline(x=0, line={"width": 1, "color": GREY})
    title = f"{inert.figure(score_name(score, goal))}: difference to the baseline (better: {WISHES[goal]})"
    return in_rows(figure, [*rows["effect"]], title)


def verdict_of(row: Mapping[Any, Any]) -> str:
    """Which of the three a difference is."""
    if not row["sure"]:
        return UNSURE
    return BETTER if row["better"] else WORSE


def volumes(arms: pd.DataFrame) -> go.Figure:
    """The mean hypervolume of each arm's runs with its 95% interval."""
    rows = arms[arms["score"] == VOLUME].rename(columns={"mean": "value"})
    figure = go.Figure(with_intervals(rows[rows["value"].notna()], "arm", "mean of the runs", "diamond", BLUE, 3))
    figure.update_layout(showlegend=False)
    return in_rows(figure, [*rows["arm"]], "hypervolume of a run's front (better: right)")


def fronts(candidates: pd.DataFrame, arms: Sequence[str], x: str, y: str, facts: Facts) -> go.Figure:
    """A small chart for each arm: its scored candidates of all seeds, those on its own front filled, and the target's
    and the retrained model's place.
    """
    count = -(-len(arms) // COLUMNS)
    titles = [inert.figure(arm) for arm in arms]
    figure = make_subplots(
        rows=count,
        cols=min(COLUMNS, len(arms)),
        subplot_titles=titles,
        shared_xaxes="all",
        shared_yaxes="all",
        vertical_spacing=0.3 / (count + 1),
        horizontal_spacing=0.04,
    )
    for i, arm in enumerate(arms):
        place = {"row": i // COLUMNS + 1, "col": i % COLUMNS + 1}
        for trace in _front_of(candidates, arm, x, y, facts, first=i == 0):
            figure.add_trace(trace, **place)
        if place["col"] == 1:
            figure.update_yaxes(title=axis_title(facts.card(y), "y"), title_font={"size": 11}, **place)
        if i + COLUMNS >= len(arms):
            figure.update_xaxes(
                title=axis_title(facts.card(x), "x"), title_font={"size": 11}, showticklabels=True, **place
            )
    figure.update_annotations(font_size=12)
    return figure.update_layout(
        height=190 * count + 130,
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        legend={"orientation": "h", "y": 1 + 0.45 / count, "yanchor": "top", "x": 0},
    )


def _front_of(candidates: pd.DataFrame, arm: str, x: str, y: str, facts: Facts, *, first: bool) -> list[go.Scatter]:
    own = candidates[candidates["arm"] == arm] if len(candidates) else candidates
    traces = []
    if len(own):
        front = pareto.front(loss_array(own, facts.objectives), own["feasible"].to_numpy(bool))
        looks = ((~front, "other candidates", "circle-open", GREY), (front, "on the arm's front", "circle", BLUE))
        for mask, name, symbol, colour in looks:
            rows = own[mask]
            traces.append(_dots(rows[x], rows[y], name, symbol, colour, first, [*map(_hover, rows.to_dict("records"))]))
    for name, scores in facts.references.items():
        if x in scores and y in scores:
            symbol, colour = REFERENCE_LOOKS.get(name, ("star", GREEN))
            traces.append(_dots([scores[x][0]], [scores[y][0]], name, symbol, colour, first, [inert.figure(name)]))
    return traces


def _hover(row: Mapping[Any, Any]) -> str:
    return f"seed {row['seed']}, {inert.figure(Place.of(row).words)}"


def _dots(x: Any, y: Any, name: str, symbol: str, colour: str, legend: bool, texts: list[str]) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=inert.figure(name),
        legendgroup=name,
        showlegend=legend,
        text=texts,
        hovertemplate="%{text}: %{x:.1f}, %{y:.1f}<extra></extra>",
        marker={"symbol": symbol, "color": colour, "size": 7},
    )


def with_intervals(rows: pd.DataFrame, label: str, name: str, symbol: str, colour: str, digits: int) -> go.Scatter:
    """Values with their intervals, a row each: by `label`, value, low, high and n, the seeds."""
    known = np.isfinite(rows["low"].to_numpy(float))
    above, below = (np.where(known, side, 0.0) for side in (rows["high"] - rows["value"], rows["value"] - rows["low"]))
    text = [
        f"{inert.figure(row[label])}: {number(row['value'], digits)} "
        f"({number(row['low'], digits)} to {number(row['high'], digits)}), {int(row['n'])} seeds"
        for row in rows.to_dict("records")
    ]
    return go.Scatter(
        x=rows["value"],
        y=[inert.figure(value) for value in rows[label]],
        mode="markers",
        name=name,
        text=text,
        hovertemplate="%{text}<extra></extra>",
        error_x={"type": "data", "array": above, "arrayminus": below, "thickness": 1.5, "width": 4, "color": colour},
        marker={"symbol": symbol, "color": colour, "size": 10, "line": {"width": 1.5, "color": colour}},
    )


def in_rows(figure: go.Figure, labels: Sequence[str], title: str) -> go.Figure:
    """A chart of one row a label, the first on top."""
    names = [inert.figure(label) for label in labels]
    figure.update_yaxes(
        categoryorder="array", categoryarray=names[::-1], automargin=True, range=[-0.6, len(names) - 0.4]
    )
    figure.update_xaxes(title=title, zeroline=False)
    return figure.update_layout(
        height=ROW * len(names) + AROUND,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
