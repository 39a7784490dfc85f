"""The table that every chart is drawn from: points with their key, their group, and what the scores are called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lethe.analysis.cells import NONE, with_interval
from lethe.fronts import pareto
from lethe.fronts.objectives import Objective, loss_array
from lethe.store.facts import Facts
from lethe.store.snapshot import Snapshot

FRONT, BEATEN, INFEASIBLE, RUNNING = "on the front", "dominated", "infeasible", "still running"
GROUPS = (INFEASIBLE, BEATEN, RUNNING, FRONT)  # in the order they are drawn, the front on top
ROLE = re.compile(r"[\w .+-]{1,60}")  # what a role may be called in a link


@dataclass(frozen=True)
class Place:
    """Which checkpoint a point is."""

    trial: int
    step: int
    role: str

    @property
    def key(self) -> str:
        """As it stands in a link."""
        return f"{self.trial}/{self.step}/{self.role}"

    @property
    def words(self) -> str:
        """As it is said to a reader."""
        return f"trial {self.trial}, step {self.step}, {self.role}"


def parse_place(key: str) -> Place | None:
    """The checkpoint of a key `trial/step/role`; None where it is none."""
    trial, _, rest = key.partition("/")
    step, _, role = rest.partition("/")
    if not (trial.isdecimal() and step.isdecimal() and ROLE.fullmatch(role)):
        return None
    return Place(int(trial), int(step), role)


def scores_of(points: pd.DataFrame, facts: Facts) -> list[str]:
    """Names of the scores of a table of points, in the order of the study's cards; those without a card come last."""
    names = [name.removesuffix("_low") for name in points.columns if name.endswith("_low")]
    measured = [name for name in names if points[name].notna().any()]
    order = list(facts.cards)
    return sorted(measured, key=lambda name: order.index(name) if name in order else len(order))


def objectives_of(scores: Sequence[str], points: pd.DataFrame, facts: Facts) -> tuple[Objective, ...]:
    """Objectives over chosen scores; the study's own where none is chosen, or one of them was not measured."""
    known = set(scores_of(points, facts))
    if not scores or not set(scores) <= known:
        return facts.objectives
    return tuple(Objective(score=score, goal=facts.card(score).goal) for score in scores)


def grouped(points: pd.DataFrame, objectives: Sequence[Objective], facts: Facts) -> pd.DataFrame:
    """Add `key`, `group` and `mark`, the number of the role by name; the front is taken over `objectives`."""
    if not len(points):
        return points.assign(key=[], group=[], mark=[])
    complete = (points["state"] == "COMPLETE").to_numpy(bool)
    feasible = points["feasible"].to_numpy(bool)
    front = points["front"].to_numpy(bool)
    if tuple(objectives) != tuple(facts.objectives):
        losses = loss_array(points, objectives)
        front = pareto.front(losses, feasible & complete & np.isfinite(losses).all(axis=1))
    groups = np.select([front, ~complete, ~feasible], [FRONT, RUNNING, INFEASIBLE], BEATEN)
    places = (points[name].tolist() for name in ("trial", "step", "role"))  # pandas' text columns are slow to walk
    keys = [f"{trial}/{step}/{role}" for trial, step, role in zip(*places, strict=True)]
    marks, _ = pd.factorize(points["role"], sort=True)  # the same in every part of the table
    return points.assign(front=front, key=keys, group=groups, mark=marks)


def by_role(rows: pd.DataFrame) -> list[tuple[int, str, pd.DataFrame]]:
    """The rows of each role that has any: its mark, its name, and they."""
    parts = [(mark, rows[rows["mark"] == mark]) for mark in sorted(rows["mark"].unique().tolist())]
    return [(mark, str(own["role"].iloc[0]), own) for mark, own in parts]


def thinned(table: pd.DataFrame, most: int, keep: str = "") -> pd.DataFrame:
    """At most about `most` rows: the front, what runs and the point `keep` first, then an even choice of the rest."""
    if len(table) <= most:
        return table
    wanted = table["group"].isin((FRONT, RUNNING)) | (table["key"] == keep)
    rest = np.flatnonzero(~wanted.to_numpy())
    room = max(most - int(wanted.sum()), 0)
    chosen = rest[np.unique(np.linspace(0, len(rest) - 1, room).astype(int))] if room and len(rest) else rest[:0]
    rows = np.sort(np.concatenate([np.flatnonzero(wanted.to_numpy()), chosen]))
    return table.iloc[rows]


def find(table: pd.DataFrame, key: str) -> pd.Series | None:
    """The row of a key, or None."""
    place = parse_place(key)
    if place is None or not len(table):
        return None
    mask = (table["trial"] == place.trial) & (table["step"] == place.step) & (table["role"] == place.role)
    return table[mask].iloc[0] if mask.any() else None


def place_of(row: pd.Series) -> Place:
    """Which checkpoint a row is."""
    return Place(int(row["trial"]), int(row["step"]), str(row["role"]))


def score_text(row: pd.Series, score: str) -> str:
    """A score and how far its 95% interval reaches."""
    return with_interval(*(row.get(f"{score}{end}", np.nan) for end in ("", "_low", "_high")))


def reference_text(values: Sequence[float] | None) -> str:
    """A reference model's score, in the same way; a dash where it was not measured."""
    return with_interval(*values) if values else NONE


def score_texts(rows: pd.DataFrame, score: str) -> list[str]:
    """`score_text` of every row."""
    none = np.full(len(rows), np.nan)
    names = (score, f"{score}_low", f"{score}_high")
    value, low, high = (rows[name].to_numpy(float) if name in rows else none for name in names)
    return [with_interval(*cell) for cell in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)]


def parameter_text(value: object) -> str:
    """A parameter's value, rounded for a reader."""
    return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)


def recipe(row: pd.Series, parameters: Sequence[str]) -> str:
    """A trial's parameters in one line."""
    return ", ".join(f"{name} {parameter_text(row[name])}" for name in parameters if name in row.index)


def recipes(rows: pd.DataFrame, parameters: Sequence[str]) -> list[str]:
    """`recipe` of every row."""
    columns = [[f"{name} {parameter_text(value)}" for value in rows[name].tolist()] for name in parameters]
    return [", ".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(rows)


def command(study: Snapshot, row: pd.Series) -> list[str]:
    """The command line that runs a point's trial again, up to its step; empty where the study does not say how."""
    about = study.facts.about
    if "settings" not in about:
        return []
    flags = [
        part for name in ("benchmark", "model", "retrained") if about.get(name) for part in (f"--{name}", about[name])
    ]
    flags += ["--protocol", about["protocol"]] if about.get("protocol", "muse") != "muse" else []
    flags += ["--method", about["method"]] if "method" in about else []
    own = {name: row[name] for name in study.parameters}
    arms = {arm["name"]: arm["settings"] for arm in about.get("ablation", {}).get("arms", ())}
    own = (arms[own.pop("arm")] if arms else {}) | own
    settings = dict(about["settings"]) | own | {"steps": int(row["step"])}
    flags += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return ["python", "platform/train_mt.py", *map(str, flags)]
