"""A front drawn in two scores: a pure function of a table of candidates that returns a plotly figure. No streamlit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts import attainment
from dashboard.charts.labels import Room
from dashboard.charts.marks import (
    BLUE,
    GREY,
    PINK,
    SIZES,
    Cards,
    References,
    Series,
    axis_title,
    bands,
    hovers,
    interval_bars,
    laid_out,
    reference_2d,
    ringed_2d,
    series_of,
    stairs,
)
from dashboard.table import BEATEN, FRONT, RUNNING
from lethe.analysis.items import split_scores
from lethe.fronts import pareto
from lethe.fronts.objectives import Objective
from lethe.store.cards import Card
from lethe.store.places import Place

WEBGL = 1500  # candidates above which the browser draws with the graphics card
MOST_BARS = 200  # candidates of a front whose intervals are drawn


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
