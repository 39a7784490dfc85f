"""What the parameters do, drawn: importances for each objective, slices through one parameter, contours over two.

Pure functions of tables that return plotly figures. No streamlit.
"""

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from dashboard import inert
from dashboard.charts.curves import SERIES, plain
from dashboard.charts.many_axes import ticks_125
from dashboard.charts.marks import GREY, axis_title, symbol_of
from dashboard.table import FRONT, by_role
from lethe.fronts.objectives import WISHES
from lethe.store.cards import Card
from lethe.store.facts import Facts

LEAST_IMPORTANCE = 30  # trials below which an importance is noise
MOST_IMPORTANCE = 2000  # trials that importances are taken over
LEAST_SLICE = 5
LEAST_CONTOUR = 10
MOST_CONTOUR = 600  # trials between which is drawn


def importances(
    trials: pd.DataFrame, distributions: Mapping[str, BaseDistribution], facts: Facts
) -> pd.DataFrame | None:
    """Share of each parameter [parameters, objectives] in what makes the best tenth of trials; None for too few trials.

    PED-ANOVA of Optuna's, over the losses of the candidate that represents a trial; of many trials, over an even
    choice of them.
    """
    # Imported here because it brings scikit-learn, for which the first view of the app need not wait two seconds.
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    done = trials[(trials["state"] == "COMPLETE") & trials["values"].notna()]
    if len(done) < LEAST_IMPORTANCE or not distributions:
        return None
    done = done.iloc[np.unique(np.linspace(0, len(done) - 1, MOST_IMPORTANCE).astype(int))]
    study = optuna.create_study(directions=["minimize"] * len(facts.objectives))
    study.add_trials(
        [
            create_trial(
                state=TrialState.COMPLETE,
                params={name: row[name] for name in distributions},
                distributions=dict(distributions),
                values=row["values"],
            )
            for row in done.dropna(subset=list(distributions)).to_dict("records")
        ]
    )
    columns = {}
    for i, objective in enumerate(facts.objectives):
        if len({values[i] for values in done["values"]}) == 1:
            continue  # nothing makes a difference to a score that never differs
        with warnings.catch_warnings():
            # It warns that low targets are good, which losses are.
            warnings.filterwarnings("ignore", message="PedAnovaImportanceEvaluator computes")
            found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), target=partial(_value, i))
        columns[objective.score] = {name: found.get(name, 0.0) for name in distributions}
    return pd.DataFrame(columns)


def _value(i: int, trial: FrozenTrial) -> float:
    return float(trial.values[i])


def importance_chart(table: pd.DataFrame) -> go.Figure:
    """Importances as bars, a group for each parameter."""
    figure = go.Figure()
    for (colour, _), score in zip(SERIES, table.columns, strict=False):
        figure.add_trace(
            go.Bar(
                x=[inert.figure(name) for name in table.index],
                y=table[score],
                name=inert.figure(score),
                marker={"color": colour},
                text=[f"{value:.2f}" for value in table[score]],
            )
        )
    figure.update_yaxes(title="importance (share)", rangemode="tozero")
    return plain(figure.update_layout(barmode="group"), 380)


def is_log(distribution: BaseDistribution | None) -> bool:
    """Whether a parameter is searched on a logarithmic scale."""
    return bool(getattr(distribution, "log", False))


def scale_of(distribution: BaseDistribution | None, values: pd.Series) -> dict[str, Any]:
    """An axis as its parameter is searched; a logarithmic one has its ticks at 1, 2 and 5 of each decade."""
    if not is_log(distribution) or not len(values):
        return {}
    ticks = ticks_125(values)
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def slice_chart(table: pd.DataFrame, parameter: str, card: Card, distribution: BaseDistribution | None) -> go.Figure:
    """A score of every candidate over one parameter; what stands later on its axis is darker."""
    figure = go.Figure()
    for mark, role, rows in by_role(table):
        figure.add_trace(
            go.Scatter(
                x=rows[parameter],
                y=rows[card.name],
                mode="markers",
                name=inert.figure(role),
                customdata=rows["key"],
                hovertemplate="%{customdata}: %{x:.3g}, %{y:.1f}<extra></extra>",
                marker={
                    "symbol": symbol_of(FRONT, mark),
                    "size": 9,
                    "color": rows["at"],
                    "coloraxis": "coloraxis",
                    "line": {"width": 1, "color": GREY},
                },
            )
        )
    figure.update_xaxes(title=inert.figure(parameter), **scale_of(distribution, table[parameter]))
    figure.update_yaxes(title=axis_title(card, "y"))
    figure.update_layout(
        coloraxis={
            "colorscale": "Cividis_r",
            "colorbar": {"title": " / ".join(map(inert.figure, sorted(table["axis"].unique())))},
        }
    )
    return plain(figure, 420)


def contour_chart(
    table: pd.DataFrame, first: str, second: str, card: Card, distributions: Mapping[str, BaseDistribution]
) -> go.Figure:
    """A score over two parameters: each trial's last candidate of the first role, and between them interpolated."""
    from scipy.interpolate import griddata  # here for the reason of `importances`

    score = card.name
    rows = table.dropna(subset=[score])
    rows = rows[rows["role"] == rows["role"].iloc[0]].sort_values("at").drop_duplicates("trial", keep="last")
    rows = rows.sort_values("trial")
    rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, MOST_CONTOUR).astype(int))]
    x, y = (np.log10(rows[p]) if is_log(distributions.get(p)) else rows[p] for p in (first, second))
    grid_x, grid_y = np.linspace(x.min(), x.max(), 40), np.linspace(y.min(), y.max(), 40)
    span = max(float(np.ptp(x)), 1e-12), max(float(np.ptp(y)), 1e-12)
    mesh = np.meshgrid(grid_x / span[0], grid_y / span[1])
    values = griddata((x / span[0], y / span[1]), rows[score], tuple(mesh), method="linear")
    back_x, back_y = (10**g if is_log(distributions.get(p)) else g for p, g in ((first, grid_x), (second, grid_y)))
    figure = go.Figure(
        go.Contour(
            x=back_x,
            y=back_y,
            z=values,
            colorscale="Cividis",
            colorbar={"title": inert.figure(score)},
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=rows[first],
            y=rows[second],
            mode="markers",
            customdata=np.column_stack([rows["key"], rows[score].round(1)]),
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
            marker={"color": "white", "size": 8, "line": {"color": "black", "width": 1}},
        )
    )
    figure.update_xaxes(title=inert.figure(first), **scale_of(distributions.get(first), rows[first]))
    figure.update_yaxes(title=inert.figure(second), **scale_of(distributions.get(second), rows[second]))
    figure.update_layout(title=f"{inert.figure(score)} (better: {WISHES[card.goal]})", showlegend=False)
    return plain(figure, 460).update_layout(margin_t=50)


def can_contour(table: pd.DataFrame, first: str, second: str) -> bool:
    """Whether there are enough trials, spread over both parameters, to draw between them."""
    numeric = all(pd.api.types.is_numeric_dtype(table[p]) for p in (first, second))
    spread = numeric and all(table[p].nunique() >= 3 for p in (first, second))
    return first != second and spread and table["trial"].nunique() >= LEAST_CONTOUR
