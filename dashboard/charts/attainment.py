"""The band that a front attains over seeds: its best, median and worst surface. Pure functions that return traces."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lethe.fronts import pareto
from lethe.fronts.objectives import MAXIMIZE, TWO_SIDED, WORST, Objective
from lethe.store.cards import Card

BEST, MEDIAN, ALL = 0.0, 0.5, 1.0  # shares of the seeds
FILL, LINE = "rgba(0,114,178,0.15)", "rgba(0,114,178,0.8)"
Array = np.ndarray


def band(runs: pd.DataFrame, x: str, y: str, cards: Mapping[str, Card]) -> list[go.Scatter]:
    """What some seeds attain of two scores and not all do, filled, and the line that half of them attain.

    `runs` are scores with the seed that they are of, as `recipes.by_seed` gives them. Nothing without two seeds, and
    none where 0 is best, which bends a surface.
    """
    goals = [cards[x].goal, cards[y].goal]
    if not len(runs) or x == y or TWO_SIDED in goals:
        return []
    runs = runs.dropna(subset=[x, y])
    losses = np.column_stack([Objective(score=s, goal=cards[s].goal).loss(runs[s].to_numpy(float)) for s in (x, y)])
    surfaces = [pareto.attainment(losses, runs["set"].to_numpy(), share) for share in (BEST, MEDIAN, ALL)]
    corner = np.max(np.concatenate(surfaces), axis=0)
    best, median, worst = (_back(outline(surface, corner), goals) for surface in surfaces)
    around = np.concatenate([best, worst[::-1]])
    return [
        go.Scatter(
            x=around[:, 0],
            y=around[:, 1],
            fill="toself",
            fillcolor=FILL,
            mode="lines",
            line={"width": 0},
            name="attained by some seeds, not by all",
            hoverinfo="skip",
        ),
        go.Scatter(
            x=median[:, 0],
            y=median[:, 1],
            mode="lines",
            line={"width": 1.5, "color": LINE},
            name="attained by half of the seeds",
            hoverinfo="skip",
        ),
    ]


def outline(surface: Array, corner: Array) -> Array:
    """The stairs [corners, 2] along a surface of losses, by the first one, from the height of a corner to its width."""
    rises = np.repeat(surface, 2, axis=0)
    rises[1:-1:2, 0] = surface[1:, 0]  # along to the next point's place, then down to it
    return np.concatenate([[[surface[0, 0], corner[1]]], rises[:-1], [[corner[0], surface[-1, 1]]]])


def _back(losses: Array, goals: list[str]) -> Array:
    """Losses as the scores that they are of."""
    return np.column_stack(
        [WORST - own if goal == MAXIMIZE else own for own, goal in zip(losses.T, goals, strict=True)]
    )
