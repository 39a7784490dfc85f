"""An audit drawn: each candidate's score before a stress and under it, beside the target and the retrained model.

Pure functions of an audit's rows; no streamlit. What comes back is told by its marker as well as by its colour.
"""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts.ablations import REFERENCE_LOOKS
from dashboard.charts.marks import BLUE, GREEN, GREY, PINK, VERMILLION, axis_title
from lethe.analysis.audit import MODELS, Audit, Compared
from lethe.analysis.audit_words import BACK, FALLEN, LEVEL, UNKNOWN, UNTOLD, cells, course, told, who
from lethe.store.cards import Card

LOOKS = {
    BACK: ("square", VERMILLION),
    LEVEL: ("triangle-up", GREEN),
    UNTOLD: ("circle", BLUE),
    FALLEN: ("x", GREY),
    UNKNOWN: ("diamond", PINK),
    "": ("circle", BLUE),
}
PLAIN_NAME = "under the stress"  # where nothing is tested
ROW, AROUND = 28, 150  # pixels of a row, and of title and axis
HEADING = 0.8  # rows between a stress's name and its first candidate
GAP = 0.3  # rows between a stress and the next one
DASHES = ("dot", "solid")  # before and under a stress


def before_and_after(audit: Audit, card: Card) -> go.Figure:
    """For each stress the candidates of an audit in one score, before it and under it, a row each.

    A point's customdata is [candidate, stress].
    """
    rows = [row for row in audit.rows if row.score == card.name]
    places, headings = _places(audit, rows)
    figure = go.Figure()
    for name in MODELS:
        _references(figure, name, rows, places)
    for row in rows:
        line = {"color": LOOKS[told(audit, row)][1], "width": 2}
        y = [places[row.stress, row.candidate]] * 2
        figure.add_scatter(x=row.values, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")
    if rows:
        figure.add_trace(_points(audit, rows, places, 0, "before the stress", "circle-open", GREY, 13))
    for verdict, (symbol, colour) in LOOKS.items():
        own = [row for row in rows if told(audit, row) == verdict]
        if own:
            name = f"under it: {verdict}" if verdict else PLAIN_NAME
            figure.add_trace(_points(audit, own, places, 1, name, symbol, colour, 10))
    figure.update_xaxes(range=_span(rows))
    return _laid_out(figure, places, headings, card)


def _span(rows: Sequence[Compared]) -> tuple[float, float]:
    """The ends of the axis of scores, with room for marks at either end."""
    values = [value for row in rows for pair in (row.values, row.target, row.retrained) if pair for value in pair]
    low, high = min(values, default=0.0), max(values, default=100.0)
    room = 0.05 * max(high - low, 10.0)
    return low - room, high + room


def _places(audit: Audit, rows: Sequence[Compared]) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Where each candidate stands below its stress, and each stress's name above them, from the top down."""
    places: dict[tuple[str, str], float] = {}
    headings: dict[str, float] = {}
    y = 0.0
    there = {(row.stress, row.candidate) for row in rows}
    for stress in audit.stresses:
        own = [name for name in audit.candidates if (stress, name) in there]
        if own:
            headings[stress] = -y
            y += HEADING
            for name in own:
                places[stress, name] = -y
                y += 1
            y += GAP
    return places, headings


def _references(figure: go.Figure, name: str, rows: Sequence[Compared], places: dict[tuple[str, str], float]) -> None:
    """Upright lines through the rows of each stress: a reference model before it and under it."""
    colour = REFERENCE_LOOKS.get(name, ("", GREEN))[1]
    for i, dash in enumerate(DASHES):
        x: list[float | None] = []
        y: list[float | None] = []
        for stress in dict.fromkeys(row.stress for row in rows):
            own = [row for row in rows if row.stress == stress and getattr(row, name)]
            if own:
                ends = [places[stress, row.candidate] for row in own]
                x += [getattr(own[0], name)[i]] * 2 + [None]
                y += [max(ends) + 0.38, min(ends) - 0.38, None]
        if x:
            where = "before" if i == 0 else "under it"
            look = {"color": colour, "dash": dash, "width": 3}
            text = f"{name}, {where}: %{{x:.1f}}<extra></extra>"
            figure.add_scatter(x=x, y=y, mode="lines", line=look, name=f"{name}, {where}", hovertemplate=text)


def _points(
    audit: Audit,
    rows: Sequence[Compared],
    places: dict[tuple[str, str], float],
    end: int,
    name: str,
    symbol: str,
    colour: str,
    size: int,
) -> go.Scatter:
    return go.Scatter(
        x=[row.values[end] for row in rows],
        y=[places[row.stress, row.candidate] for row in rows],
        mode="markers",
        name=name,
        customdata=[[row.candidate, row.stress] for row in rows],
        text=[_hover(audit, row) for row in rows],
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": symbol, "color": colour, "size": size, "line": {"width": 2, "color": colour}},
        unselected={"marker": {"opacity": 1.0}},
    )


def _hover(audit: Audit, row: Compared) -> str:
    """What a row says when the pointer is on it."""
    _, _, score, verdict, net, p, *_ = cells(audit, row)
    lines = [
        f"{who(row.candidate)} under {row.stress}",
        f"{score}: {course(row.values)} (target {course(row.target)}, retrained {course(row.retrained)})",
        f"net recovery: {net}",
        f"{verdict}, p {p}",
    ]
    return "<br>".join(inert.figure(line, most=120) for line in lines[: 4 if row.forgotten else 2])


def _laid_out(
    figure: go.Figure, places: dict[tuple[str, str], float], headings: dict[str, float], card: Card
) -> go.Figure:
    for stress, y in headings.items():
        figure.add_annotation(
            x=0,
            xref="paper",
            y=y,
            text=f"<b>{inert.figure(stress, most=60)}</b>",
            showarrow=False,
            xanchor="left",
            yanchor="middle",
        )
    lowest = min(places.values(), default=0.0)
    figure.update_yaxes(
        tickvals=list(places.values()),
        ticktext=[inert.figure(who(name), most=30) for _, name in places],
        range=[lowest - 0.7, 0.6],
        automargin=True,
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(title=axis_title(card, "x"), zeroline=False)
    return figure.update_layout(
        height=round(ROW * (1.3 - lowest)) + AROUND,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
        uirevision="kept",
    )
