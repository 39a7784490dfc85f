"""Everything but fronts drawn: progress of a search, what parameters do, the course of a trial, studies compared.

Pure functions of tables that return plotly figures. No streamlit.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from plotly.subplots import make_subplots

from dashboard import inert
from dashboard.charts import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILLION, References, axis_title, ticks_125
from dashboard.table import FRONT, GOOD_PRIVLEAK, GROUPS, RUNNING
from lethe.decide import volume_history
from lethe.store import Facts, loss_array

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
LEAST_IMPORTANCE = 30  # trials below which an importance is noise
MOST_IMPORTANCE = 2000  # trials that importances are taken over
MOST_VOLUMES = 300
LEAST_SLICE = 5
LEAST_CONTOUR = 10
MOST_CONTOUR = 600  # trials between which is drawn


def volumes(points: pd.DataFrame, trials: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Hypervolume of the front in the order that complete trials ended: done, number, end, hours, volume.

    One row a trial; of a long study, one for every few trials.
    """
    ended = trials[trials["state"] == "COMPLETE"].sort_values("end", kind="stable")
    numbers = ended["number"].to_numpy()
    batches = np.array_split(np.arange(len(numbers)), min(len(numbers), MOST_VOLUMES) or 1)
    good = points[points["feasible"] & (points["state"] == "COMPLETE")] if len(points) else points
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
    """Height, margins and the legend of a small chart; zoom outlives a refresh."""
    return figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        uirevision="kept",
    )


def importances(
    trials: pd.DataFrame, distributions: Mapping[str, BaseDistribution], facts: Facts
) -> pd.DataFrame | None:
    """Share of each parameter [parameters, objectives] in what makes the best tenth of trials; None for too few trials.

    PED-ANOVA of Optuna's, over the losses of the checkpoint that speaks for a trial; of many trials, over an even
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


def slice_chart(
    table: pd.DataFrame, parameter: str, score: str, goal: str, distribution: BaseDistribution | None
) -> go.Figure:
    """A score of every point over one parameter; later steps are darker."""
    figure = go.Figure()
    for role, symbol in (("student", "circle"), ("teacher", "diamond")):
        rows = table[table["role"] == role]
        if len(rows):
            figure.add_trace(
                go.Scatter(
                    x=rows[parameter],
                    y=rows[score],
                    mode="markers",
                    name=role,
                    customdata=rows["key"],
                    hovertemplate="%{customdata}: %{x:.3g}, %{y:.1f}<extra></extra>",
                    marker={
                        "symbol": symbol,
                        "size": 9,
                        "color": rows["step"],
                        "coloraxis": "coloraxis",
                        "line": {"width": 1, "color": GREY},
                    },
                )
            )
    figure.update_xaxes(title=inert.figure(parameter), **scale_of(distribution, table[parameter]))
    figure.update_yaxes(title=axis_title(score, goal, "y"))
    figure.update_layout(coloraxis={"colorscale": "Cividis_r", "colorbar": {"title": "step"}})
    return plain(figure, 420)


def contour_chart(
    table: pd.DataFrame, first: str, second: str, score: str, goal: str, distributions: Mapping[str, BaseDistribution]
) -> go.Figure:
    """A score over two parameters: the last student point of every trial, and what lies between by interpolation."""
    from scipy.interpolate import griddata  # here for the reason of `importances`

    rows = table.dropna(subset=[score])
    rows = rows[rows["role"] == rows["role"].iloc[0]].sort_values("step").drop_duplicates("trial", keep="last")
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
    figure.update_layout(title=f"{inert.figure(score)} (better: {goal_words(goal)})", showlegend=False)
    return plain(figure, 460).update_layout(margin_t=50)


def goal_words(goal: str) -> str:
    """A goal in a reader's words."""
    return {"minimize": "low", "maximize": "high", "zero": "near 0"}[goal]


def can_contour(table: pd.DataFrame, first: str, second: str) -> bool:
    """Whether there are enough trials, spread over both parameters, to draw between them."""
    numeric = all(pd.api.types.is_numeric_dtype(table[p]) for p in (first, second))
    spread = numeric and all(table[p].nunique() >= 3 for p in (first, second))
    return first != second and spread and table["trial"].nunique() >= LEAST_CONTOUR


def score_curves(
    rows: pd.DataFrame, scores: Sequence[str], goals: Mapping[str, str], references: References
) -> go.Figure:
    """Scores of a trial over its steps, student and teacher, with intervals as bands and the references as lines."""
    wide = 2 if len(scores) > 1 else 1
    high = -(-len(scores) // wide)
    titles = [f"{inert.figure(s)} (better: {goal_words(goals[s])})" for s in scores]
    figure = make_subplots(high, wide, subplot_titles=titles, vertical_spacing=0.36 / high, horizontal_spacing=0.09)
    for i, score in enumerate(scores):
        place = {"row": i // wide + 1, "col": i % wide + 1}
        for name, colour in (("target", ORANGE), ("retrained", GREEN)):
            if score in references.get(name, {}):
                line = {"color": colour, "dash": "dash" if name == "target" else "dot", "width": 1.5}
                ends = [rows["step"].min(), rows["step"].max()]
                value = references[name][score][0]
                trace = go.Scatter(x=ends, y=[value] * 2, mode="lines", name=name, line=line, legendgroup=name)
                figure.add_trace(trace.update(showlegend=i == 0, hoverinfo="skip"), **place)
        for role, colour, symbol in (("student", BLUE, "circle"), ("teacher", VERMILLION, "diamond")):
            own = rows[rows["role"] == role].sort_values("step")
            if len(own):
                _curve(figure, own, score, role, colour, symbol, first=i == 0, place=place)
        if score == "privleak":
            figure.add_hrect(y0=-GOOD_PRIVLEAK, y1=GOOD_PRIVLEAK, fillcolor=GREEN, opacity=0.15, line_width=0, **place)
    figure.update_xaxes(title="step", title_standoff=4)
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
            x=pd.concat([rows["step"], rows["step"][::-1]]),
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
        x=rows["step"],
        y=rows[score],
        mode="lines+markers",
        name=role,
        legendgroup=role,
        showlegend=first,
        line={"color": colour},
        marker={"symbol": symbol, "size": 8},
        hovertemplate=f"step %{{x}}, {role}: %{{y:.1f}}<extra></extra>",
    )
    figure.add_trace(line, **place)


RECORDS = {
    "forget_loss": "forget loss",
    "penalty": "penalty",
    "gradient_norm": "gradient norm",
    "clip_coefficient": "clip (1 = not clipped)",
    "lr": "learning rate",
}


def step_curves(steps: pd.DataFrame) -> go.Figure:
    """Losses, gradient norm, clip and learning rate of every step of a trial."""
    names = [name for name in RECORDS if name in steps.columns]
    high = -(-len(names) // 2)
    titles = [RECORDS[name] for name in names]
    figure = make_subplots(high, 2, subplot_titles=titles, vertical_spacing=0.42 / high, horizontal_spacing=0.09)
    for i, name in enumerate(names):
        trace = go.Scatter(x=steps["step"], y=steps[name], mode="lines", line={"color": BLUE, "width": 1.5}, name=name)
        trace.update(hovertemplate="step %{x}: %{y:.4g}<extra></extra>", showlegend=False)
        figure.add_trace(trace, row=i // 2 + 1, col=i % 2 + 1)
    figure.update_xaxes(title="step", title_standoff=4)
    return plain(figure, 210 * high + 40)


def compare_fronts(tables: Mapping[str, pd.DataFrame], x: str, y: str, goals: Mapping[str, str]) -> go.Figure:
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
    if "privleak" in (x, y):
        edge = figure.add_vrect if x == "privleak" else figure.add_hrect
        axis = "x" if x == "privleak" else "y"
        ends = {f"{axis}0": -GOOD_PRIVLEAK, f"{axis}1": GOOD_PRIVLEAK}
        edge(**ends, fillcolor=GREEN, opacity=0.15, line_width=0)
    figure.update_xaxes(title=axis_title(x, goals[x], "x"), zeroline=False)
    figure.update_yaxes(title=axis_title(y, goals[y], "y"), zeroline=False)
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
