"""A front as a table that a person can read, and as plain data for machines."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from lethe.analysis.cells import with_interval
from lethe.fronts import pareto
from lethe.fronts.objectives import WISHES, loss_array
from lethe.store.facts import Facts


def front_points(points: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Return the points of the front, best first by their worst loss."""
    if not len(points):
        return points
    front = points[points["front"]]
    worst = loss_array(front, facts.objectives).max(axis=1)
    return front.assign(_worst=worst).sort_values("_worst", kind="stable").drop(columns="_worst")


def volume(points: pd.DataFrame, facts: Facts) -> float:
    """Return the front's hypervolume, a share of the box from best to worst."""
    if not len(points):
        return 0.0
    return pareto.hypervolume(loss_array(points[points["front"]], facts.objectives))


def draw_front(points: pd.DataFrame, facts: Facts, params: Sequence[str], *, most: int = 20) -> Table:
    """Draw the front's points, with the target and the retrained model above them.

    Every score is followed by how far its 95% interval reaches.
    """
    # No padding: the box parts the columns by a space, and the widest front has to fit into 100 columns.
    table = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    scores = score_columns(facts)
    for name in ("point", "step", *params):
        table.add_column(name, justify="right", no_wrap=True)
    for name, goal in scores.items():
        table.add_column(f"{name}\n({goal})", justify="right", no_wrap=True)
    for name, row in facts.references.items():
        table.add_row(name, "", *[""] * len(params), *(interval(row.get(s)) for s in scores), style="dim")
    for _, point in front_points(points, facts).head(most).iterrows():
        cells = [_short(point[name]) for name in params]
        values = [interval([point[s], point[f"{s}_low"], point[f"{s}_high"]]) for s in scores]
        table.add_row(f"{point['trial']} {point['role']}", str(point["step"]), *cells, *values)
    return table


def score_columns(facts: Facts) -> dict[str, str]:
    """The scores a front shows, each with where it should go: the objectives, then the constraints."""
    columns = {o.score: WISHES[o.goal] for o in facts.objectives}
    for constraint in facts.constraints:
        columns.setdefault(constraint.score, f"≥ {constraint.floor:.0f}")
    return columns


def plain_front(points: pd.DataFrame, facts: Facts, params: Sequence[str]) -> list[dict[str, Any]]:
    """Return the front as plain data: trial, step, role, parameters, scores with intervals, weights, items."""
    scores = [name.removesuffix("_low") for name in points.columns if name.endswith("_low")]
    return [
        {
            **{name: point[name] for name in ("trial", "step", "role", "weights", "items")},
            "parameters": {name: point[name] for name in params},
            "scores": {s: [point[s], point[f"{s}_low"], point[f"{s}_high"]] for s in scores},
        }
        for point in front_points(points, facts).to_dict("records")
    ]


def interval(score: Sequence[float] | None) -> str:
    """A score and how far its 95% interval reaches; a dash where it was not measured."""
    if score is None:
        return "-"
    return with_interval(*score, ends=0).replace("−", "-")  # a terminal's numbers can be copied


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def parameter_names(points: pd.DataFrame, space: Mapping[str, Any]) -> list[str]:
    """The parameters of a space that a table of points has."""
    return [name for name in space if name in points.columns]
