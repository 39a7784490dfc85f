"""Courses drawn: a search's hypervolume and states, the scores and losses of a trial, studies compared.

Pure functions of tables that return plotly figures. No streamlit.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard import inert
from dashboard.charts.marks import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    SKY,
    VERMILLION,
    Cards,
    References,
    axis_title,
    bands,
)
from dashboard.table import FRONT, GROUPS, RUNNING, by_role
from lethe.analysis.decide import volume_history
from lethe.fronts.objectives import WISHES, loss_array
from lethe.store.facts import Facts

STATES = {"COMPLETE": BLUE, "RUNNING": PINK, "WAITING": SKY, "FAIL": VERMILLION, "PRUNED": GREY}
PATTERNS = {"COMPLETE": "", "RUNNING": "/", "WAITING": ".", "FAIL": "x", "PRUNED": "-"}
SERIES = (
    (BLUE, "solid"),
    (ORANGE, "dash"),
    (GREEN, "dot"),
    (PINK, "dashdot"),
    (VERMILLION, "longdash"),
    (SKY, "solid"),
)
ROLES = ((BLUE, "circle"), (VERMILLION, "diamond"), (PINK, "pentagon"), (SKY, "hexagon"))  # by their mark
MOST_VOLUMES = 300


def volumes(candidates: pd.DataFrame, trials: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Hypervolume of the front in the order that complete trials ended: done, number, end, hours, volume.

    One row a trial; of a long study, one for every few trials.
    """
    ended = trials[trials["state"] == "COMPLETE"].sort_values("end", kind="stable")
    numbers = ended["number"].to_numpy()
    batches = np.array_split(np.arange(len(numbers)), min(len(numbers), MOST_VOLUMES) or 1)
    good = candidates[candidates["feasible"] & (candidates["state"] == "COMPLETE")] if len(candidates) else candidates
    losses = loss_array(good, facts.objectives) if len(good) else np.zeros((0, 1))
    rows = good.groupby("trial").indices if len(good) else {}
    none = np.zeros(0, dtype=int)
    groups = [losses[np.concatenate([none, *(rows.get(n, none) for n in numbers[batch])])] for batch in batches]
    ends = [int(batch[-1]) for batch in batches if len(batch)]
    history = ended.iloc[ends][["number", "end"]].reset_index(drop=True).assign(done=np.array(ends, dtype=int) + 1)
    history["volume"] = volume_history(groups)[: len(ends)]
    history["hours"] = (history["end"] - trials["start"].min()).dt.total_seconds() / 3600
    return history


def volume_chart(history: pd.DataFrame, by: str) -> go.Figure:
    """Hypervolume over trials (`by` is "trials") or over time ("time")."""
    hours = float(history["hours"].max()) if len(history) else 0.0
    unit, factor = ("hours", 1.0) if hours >= 2 else ("minutes", 60.0)
    x = history["done"] if by == "trials" else history["hours"] * factor
    figure = go.Figure(
        go.Scatter(
            x=x,
            y=history["volume"],
            mode="lines+markers" if len(history) <= 200 else "lines",
            line={"shape": "hv", "color": BLUE},
            customdata=history["number"],
            hovertemplate="after trial %{customdata}: %{y:.3f}<extra></extra>",
        )
    )
    title = "complete trials" if by == "trials" else f"{unit} since the start"
    figure.update_xaxes(title=title, rangemode="tozero")
    figure.update_yaxes(title="hypervolume (better: up)", rangemode="tozero")
    return plain(figure, 340)


def states_chart(trials: pd.DataFrame) -> go.Figure:
    """How many trials are in each state, as one bar."""
    counts = trials["state"].value_counts()
    figure = go.Figure()
    for state, colour in STATES.items():
        if state in counts:
            marker = {"color": colour, "pattern": {"shape": PATTERNS[state], "fgcolor": "rgba(255,255,255,0.7)"}}
            bar = go.Bar(
                x=[int(counts[state])], y=[""], orientation="h", name=f"{state.lower()} {counts[state]}", marker=marker
            )
            figure.add_trace(bar)
    figure.update_layout(barmode="stack", showlegend=True)
    figure.update_xaxes(title="trials", tickformat="d")
    return plain(figure, 190)


def plain(figure: go.Figure, height: int) -> go.Figure:
    """Height, margins and the legend of a small chart."""
    return figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        uirevision="kept",
    )


def score_curves(rows: pd.DataFrame, scores: Sequence[str], cards: Cards, references: References) -> go.Figure:
    """Scores of a trial along one of its axes, by role, with intervals as bands and the references as lines."""
    axis = str(rows["axis"].iloc[0])
    wide = 2 if len(scores) > 1 else 1
    high = -(-len(scores) // wide)
    titles = [f"{inert.figure(s)} (better: {WISHES[cards[s].goal]})" for s in scores]
    figure = make_subplots(high, wide, subplot_titles=titles, vertical_spacing=0.36 / high, horizontal_spacing=0.09)
    for i, score in enumerate(scores):
        place = {"row": i // wide + 1, "col": i % wide + 1}
        for name, colour in (("target", ORANGE), ("retrained", GREEN)):
            if score in references.get(name, {}):
                line = {"color": colour, "dash": "dash" if name == "target" else "dot", "width": 1.5}
                ends = [rows["at"].min(), rows["at"].max()]
                value = references[name][score][0]
                trace = go.Scatter(x=ends, y=[value] * 2, mode="lines", name=name, line=line, legendgroup=name)
                figure.add_trace(trace.update(showlegend=i == 0, hoverinfo="skip"), **place)
        for mark, role, own in by_role(rows):
            colour, symbol = ROLES[mark % len(ROLES)]
            _curve(figure, own.sort_values("at"), score, role, colour, symbol, first=i == 0, place=place)
        good = cards[score].good
        if good is not None:
            figure.add_hrect(y0=-good, y1=good, fillcolor=GREEN, opacity=0.15, line_width=0, **place)
    figure.update_xaxes(title=inert.figure(axis), title_standoff=4)
    return plain(figure, 250 * high + 60).update_layout(legend_y=1.06)


def _curve(
    figure: go.Figure,
    rows: pd.DataFrame,
    score: str,
    role: str,
    colour: str,
    symbol: str,
    *,
    first: bool,
    place: Mapping[str, int],
) -> None:
    low, high = rows[f"{score}_low"], rows[f"{score}_high"]
    if np.isfinite(low).all() and np.isfinite(high).all():
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        band = go.Scatter(
            x=pd.concat([rows["at"], rows["at"][::-1]]),
            y=pd.concat([high, low[::-1]]),
            fill="toself",
            fillcolor=f"rgba({red},{green},{blue},0.15)",
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_trace(band, **place)
    line = go.Scatter(
        x=rows["at"],
        y=rows[score],
        mode="lines+markers",
        name=inert.figure(role),
        legendgroup=role,
        showlegend=first,
        line={"color": colour},
        marker={"symbol": symbol, "size": 8},
        hovertemplate=f"{inert.figure(rows['axis'].iloc[0])} %{{x}}, {inert.figure(role)}: %{{y:.1f}}<extra></extra>",
    )
    figure.add_trace(line, **place)


TITLES = {"clip_coefficient": "clip (1 = not clipped)", "lr": "learning rate"}  # else the record's own name


def step_curves(steps: pd.DataFrame) -> go.Figure:
    """What a method told of every step of a trial: losses, and of most the gradient norm, clip and learning rate."""
    names = [name for name in steps.columns if name not in ("step", "cost")]
    high = max(1, -(-len(names) // 2))
    titles = [TITLES.get(name, name.replace("_", " ")) for name in names]
    figure = make_subplots(high, 2, subplot_titles=titles, vertical_spacing=0.42 / high, horizontal_spacing=0.09)
    for i, name in enumerate(names):
        trace = go.Scatter(x=steps["step"], y=steps[name], mode="lines", line={"color": BLUE, "width": 1.5}, name=name)
        trace.update(hovertemplate="step %{x}: %{y:.4g}<extra></extra>", showlegend=False)
        figure.add_trace(trace, row=i // 2 + 1, col=i % 2 + 1)
    figure.update_xaxes(title="step", title_standoff=4)
    return plain(figure, 210 * high + 40)


def compare_fronts(tables: Mapping[str, pd.DataFrame], x: str, y: str, cards: Cards) -> go.Figure:
    """The fronts of several studies over two scores, a colour and a marker for each."""
    figure = go.Figure()
    symbols = ("circle", "diamond", "square", "triangle-up", "cross", "pentagon")
    for i, ((name, table), (colour, _), symbol) in enumerate(zip(tables.items(), SERIES, symbols, strict=False)):
        for group in GROUPS:
            rows = table[table["group"] == group]
            if not len(rows) or group == RUNNING:
                continue
            on_front = group == FRONT
            figure.add_trace(
                go.Scatter(
                    x=rows[x],
                    y=rows[y],
                    mode="markers",
                    name=inert.figure(name, most=40),
                    legendgroup=str(i),
                    showlegend=on_front,
                    customdata=rows["key"],
                    hovertemplate=f"{inert.figure(name, most=40)}<br>%{{customdata}} ({group}): %{{x:.1f}}, %{{y:.1f}}"
                    "<extra></extra>",
                    marker={
                        "symbol": symbol if on_front else f"{symbol}-open",
                        "color": colour,
                        "size": 11 if on_front else 6,
                        "opacity": 1 if on_front else 0.6,
                    },
                )
            )
    bands(figure, cards[x], cards[y], lines=False)
    figure.update_xaxes(title=axis_title(cards[x], "x"), zeroline=False)
    figure.update_yaxes(title=axis_title(cards[y], "y"), zeroline=False)
    return plain(figure, 520)


def compare_volumes(histories: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Hypervolume over trials of several studies."""
    figure = go.Figure()
    for (name, history), (colour, dash) in zip(histories.items(), SERIES, strict=False):
        figure.add_trace(
            go.Scatter(
                x=history["done"],
                y=history["volume"],
                mode="lines",
                line={"shape": "hv", "color": colour, "dash": dash},
                name=inert.figure(name, most=40),
            )
        )
    figure.update_xaxes(title="complete trials")
    figure.update_yaxes(title="hypervolume (better: up)", rangemode="tozero")
    return plain(figure, 340)
