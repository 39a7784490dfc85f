"""An arena drawn: the fronts of all methods over each other, hypervolume by cost, differences from the best.

Pure functions of tables; no streamlit. A family has a colour, a method its marker and dash within the family. Those
that are chosen are drawn so, all others grey and small: nobody tells twenty methods apart at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import inert
from dashboard.charts.ablations import LOOKS, UNSURE, WORSE, in_rows, with_intervals
from dashboard.charts.curves import plain
from dashboard.charts.fronts import best_in_two
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
    laid_out,
    reference_2d,
    ringed_2d,
    stairs,
)
from dashboard.table import candidate_of, score_texts

OLIVE = "#9A8F00"
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PINK, SKY, OLIVE)
MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "pentagon", "bowtie", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
FEW = 4  # methods that are drawn strongly where the reader chose none
STEPS = 200  # places along a course
MOST_GREY = 1500  # candidates of the others


@dataclass(frozen=True)
class Look:
    """How a method is drawn."""

    colour: str
    marker: str
    dash: str


def looks(families: Mapping[str, str]) -> dict[str, Look]:
    """The look of each method, by the family of each: a colour for each family, in the order in which they come.

    The first markers of two families differ too, for readers to whom their colours do not.
    """
    known = list(dict.fromkeys(families.values()))
    found: dict[str, Look] = {}
    for name, family in families.items():
        which = known.index(family)
        place = which + sum(families[other] == family for other in found)
        colour = COLOURS[which % len(COLOURS)]
        found[name] = Look(colour, MARKERS[place % len(MARKERS)], DASHES[place % len(DASHES)])
    return found


def strong(entrants: pd.DataFrame, wanted: Sequence[str] = ()) -> list[str]:
    """The methods that are drawn strongly: those that are wanted, or else the few best that found anything."""
    there = entrants.loc[entrants["study"].notna(), "entrant"].tolist() if "study" in entrants else []
    chosen = [name for name in wanted if name in set(entrants["entrant"])]
    return chosen or there[:FEW]


def fronts(
    candidates: pd.DataFrame,
    drawn: Mapping[str, Look],
    axes: tuple[str, str],
    cards: Cards,
    references: References,
    ringed: pd.DataFrame | None = None,
) -> go.Figure:
    """Every method's front over two scores, those `drawn` with their look, the rest grey; recommended ones ringed."""
    x, y = axes
    figure = go.Figure()
    bands(figure, cards[x], cards[y])
    front = candidates[candidates["front"].to_numpy(bool)] if len(candidates) else candidates
    rest = front[~front["entrant"].isin(list(drawn))] if len(front) else front
    if len(rest):
        rest = rest.iloc[np.unique(np.linspace(0, len(rest) - 1, min(len(rest), MOST_GREY)).astype(int))]
        figure.add_trace(_points(rest, x, y, "all others", Look(GREY, "circle-open", "solid"), 6))
    for name, look in drawn.items():
        own = front[front["entrant"] == name] if len(front) else front
        if len(own):
            best = best_in_two(candidates[(candidates["entrant"] == name) & candidates["feasible"]], x, y, cards)
            if len(best):
                figure.add_trace(stairs(best, x, y, look.colour).update(legendgroup=name, showlegend=False))
            figure.add_trace(_points(own, x, y, name, look, 10).update(legendgroup=name))
    for name, scores in references.items():
        reference_2d(figure, name, scores, x, y, intervals=False)
    if ringed is not None and len(ringed):
        figure.add_trace(ringed_2d(ringed, x, y, "recommended"))
    figure.update_xaxes(title=axis_title(cards[x], "x"), zeroline=False)
    figure.update_yaxes(title=axis_title(cards[y], "y"), zeroline=False)
    return laid_out(figure)


def _points(rows: pd.DataFrame, x: str, y: str, name: str, look: Look, size: int) -> go.Scatter:
    return go.Scatter(
        x=rows[x],
        y=rows[y],
        mode="markers",
        name=inert.figure(name, most=40),
        customdata=[[candidate_of(row).key, row["study"]] for row in rows.to_dict("records")],
        text=_hovers(rows, x, y),
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": look.marker, "color": look.colour, "size": size, "opacity": 0.9 if size > 6 else 0.7},
        unselected={"marker": {"opacity": 0.9 if size > 6 else 0.7}},
    )


def _hovers(rows: pd.DataFrame, x: str, y: str) -> list[str]:
    heads = [
        f"{inert.figure(row['entrant'])}, seed {row['seed']}, {inert.figure(candidate_of(row).words)}"
        for row in rows.to_dict("records")
    ]
    texts = [[f"{inert.figure(score)}: {text}" for text in score_texts(rows, score)] for score in dict.fromkeys((x, y))]
    return ["<br>".join(parts) for parts in zip(heads, *texts, strict=True)]


def courses(course: pd.DataFrame, drawn: Mapping[str, Look]) -> go.Figure:
    """Hypervolume by what was spent: the mean over seeds, and of those `drawn` from the lowest seed to the highest."""
    figure = go.Figure()
    for name in [name for name in course["entrant"].unique() if name not in drawn]:
        figure.add_trace(_line(over_seeds(course, name), name, Look(GREY, "", "solid"), width=1))
    for name, look in drawn.items():
        own = over_seeds(course, name)
        if len(own):
            figure.add_trace(_band(own, name, look))
            figure.add_trace(_line(own, name, look, width=2.5))
    figure.update_xaxes(title="spent, in forward passes of a sequence", rangemode="tozero")
    figure.update_yaxes(title="hypervolume (better: up)", rangemode="tozero")
    return plain(figure, 420).update_layout(legend={"y": -0.2, "yanchor": "top"}, hovermode="closest")


def over_seeds(course: pd.DataFrame, entrant: str) -> pd.DataFrame:
    """An entrant's volumes where all its seeds have been: cost, mean, least, most."""
    own = [rows for _, rows in course[course["entrant"] == entrant].groupby("seed")]
    if not own:
        return pd.DataFrame(columns=["cost", "mean", "least", "most"])
    end = min(float(rows["cost"].max()) for rows in own)
    places = np.unique(np.concatenate([rows["cost"].to_numpy(float) for rows in own]))
    places = places[places <= end]
    places = places[np.unique(np.linspace(0, len(places) - 1, min(len(places), STEPS)).astype(int))]
    volumes = np.stack([_at(rows, places) for rows in own])
    spread = {"mean": volumes.mean(axis=0), "least": volumes.min(axis=0), "most": volumes.max(axis=0)}
    return pd.DataFrame({"cost": places, **spread})


def _at(rows: pd.DataFrame, places: np.ndarray) -> np.ndarray:
    """A seed's volume at some costs: that of the last place it passed."""
    passed = np.searchsorted(rows["cost"].to_numpy(float), places, side="right") - 1
    return np.asarray(np.where(passed >= 0, rows["volume"].to_numpy(float)[np.maximum(passed, 0)], 0.0))


def _line(own: pd.DataFrame, name: str, look: Look, *, width: float) -> go.Scatter:
    return go.Scatter(
        x=own["cost"],
        y=own["mean"],
        mode="lines",
        name=inert.figure(name, most=40),
        legendgroup=name,
        showlegend=width > 1,
        line={"shape": "hv", "width": width, "color": look.colour, "dash": look.dash},
        opacity=1.0 if width > 1 else 0.6,
        hovertemplate=f"{inert.figure(name)}<br>%{{x:,.0f}} spent: %{{y:.3f}}<extra></extra>",
    )


def _band(own: pd.DataFrame, name: str, look: Look) -> go.Scatter:
    """From the lowest seed to the highest, as stairs there and back."""
    there, back = _stairs(own["cost"], own["most"]), _stairs(own["cost"], own["least"])
    red, green, blue = (int(look.colour[i : i + 2], 16) for i in (1, 3, 5))
    return go.Scatter(
        x=[*there[0], *back[0][::-1]],
        y=[*there[1], *back[1][::-1]],
        mode="lines",
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.15)",
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=name,
        showlegend=False,
    )


def _stairs(x: pd.Series, y: pd.Series) -> tuple[list[float], list[float]]:
    return np.repeat(x.to_numpy(float), 2)[1:].tolist(), np.repeat(y.to_numpy(float), 2)[:-1].tolist()


def differences(comparisons: pd.DataFrame, best: str, seeds: Mapping[str, int]) -> go.Figure:
    """How much less than the best each other entrant has, with intervals that hold for all pairs at once."""
    own = comparisons[comparisons["entrant"] == best]
    rows = pd.DataFrame(
        {
            "other": own["other"],
            "value": -own["difference"],
            "low": -own["high"],
            "high": -own["low"],
            "n": [seeds.get(name, 0) for name in own["other"]],
        }
    )
    figure = go.Figure()
    for group, mask in ((WORSE, own["sure"].astype(bool)), (UNSURE, ~own["sure"].astype(bool))):
        symbol, colour = LOOKS[group]
        name = group if group == WORSE else "not told apart"
        if mask.any():
            figure.add_trace(with_intervals(rows[mask], "other", name, symbol, colour, 3))
    figure.add_vline(x=0, line={"width": 1, "color": GREY})
    title = f"hypervolume beside that of {inert.figure(best, most=40)} (better: right)"
    return in_rows(figure, [*rows["other"]], title)
