"""The table that every chart is drawn from: candidates with their key, their group, and what the scores are called."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from lethe.analysis.cells import NONE, with_interval
from lethe.analysis.recipes import by_row, stays
from lethe.fronts import pareto
from lethe.fronts.objectives import Objective, loss_array
from lethe.store.again import run_again
from lethe.store.facts import Facts
from lethe.store.parameters import METHOD, method_of, own, settings_of
from lethe.store.places import PLACE, Place, whole
from lethe.store.snapshot import Snapshot
from lethe.store.trials import REPEAT_SEED

FRONT, BEATEN, INFEASIBLE, RUNNING = "on the front", "dominated", "infeasible", "still running"
GROUPS = (INFEASIBLE, BEATEN, RUNNING, FRONT)  # in the order they are drawn, the front on top


@dataclass(frozen=True)
class Candidate:
    """Which candidate of a study: its trial, and its place there."""

    trial: int
    place: Place

    @property
    def key(self) -> str:
        """As it stands in a link: `12/step/20/student`."""
        return f"{self.trial}/{self.place.key}"

    @property
    def name(self) -> str:
        """As commands take it: `12@step/20/student`."""
        return f"{self.trial}@{self.place.key}"

    @property
    def words(self) -> str:
        """As it is said to a reader."""
        return f"trial {self.trial}, {self.place.words}"

    def plain(self) -> dict[str, Any]:
        """As plain data: trial, axis, at, role."""
        return {"trial": self.trial, **asdict(self.place)}


def parse_candidate(key: str) -> Candidate | None:
    """The inverse of `Candidate.key`; None where it is none."""
    trial, _, rest = key.partition("/")
    place = Place.parse(rest) if re.fullmatch(r"\d{1,9}", trial, re.ASCII) else None
    return Candidate(int(trial), place) if place else None


def scores_of(candidates: pd.DataFrame, facts: Facts) -> list[str]:
    """Names of the scores of a table of candidates, in the order of the study's cards, those without one last."""
    names = [name.removesuffix("_low") for name in candidates.columns if name.endswith("_low")]
    measured = [name for name in names if candidates[name].notna().any()]
    order = list(facts.cards)
    return sorted(measured, key=lambda name: order.index(name) if name in order else len(order))


def objectives_of(scores: Sequence[str], candidates: pd.DataFrame, facts: Facts) -> tuple[Objective, ...]:
    """Objectives over chosen scores; the study's own where none is chosen, or one of them was not measured."""
    known = set(scores_of(candidates, facts))
    if not scores or not set(scores) <= known:
        return facts.objectives
    return tuple(Objective(score=score, goal=facts.card(score).goal) for score in scores)


def grouped(candidates: pd.DataFrame, objectives: Sequence[Objective], facts: Facts) -> pd.DataFrame:
    """Add `key`, `group` and `mark`, the number of the role by name; the front is taken over `objectives`."""
    if not len(candidates):
        return candidates.assign(key=[], group=[], mark=[])
    complete = (candidates["state"] == "COMPLETE").to_numpy(bool)
    feasible = candidates["feasible"].to_numpy(bool)
    front = candidates["front"].to_numpy(bool)
    if tuple(objectives) != tuple(facts.objectives):
        losses = loss_array(candidates, objectives)
        front = pareto.front(losses, feasible & complete & np.isfinite(losses).all(axis=1))
    groups = np.select([front, ~complete, ~feasible], [FRONT, RUNNING, INFEASIBLE], BEATEN)
    places = [candidates[name].tolist() for name in ("trial", *PLACE)]  # pandas' text columns are slow to walk
    keys = [f"{trial}/{axis}/{whole(at)}/{role}" for trial, axis, at, role in zip(*places, strict=True)]
    marks, _ = pd.factorize(candidates["role"], sort=True)  # the same in every part of the table
    return candidates.assign(front=front, key=keys, group=groups, mark=marks)


STAYS = "non-dominated"  # a column where repeats are: how probable that is, in words


def with_seeds(table: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """A study's candidates with STAYS, "" where nothing is known; as they are where no recipe was run again."""
    if not len(points):
        return table
    said = {row: stays(point) for row, point in by_row(points).items()}
    return table.assign(**{STAYS: [said.get(row, "") for row in range(len(table))]})


def by_role(rows: pd.DataFrame) -> list[tuple[int, str, pd.DataFrame]]:
    """The rows of each role that has any: its mark, its name, and they."""
    parts = [(mark, rows[rows["mark"] == mark]) for mark in sorted(rows["mark"].unique().tolist())]
    return [(mark, str(own["role"].iloc[0]), own) for mark, own in parts]


def thinned(table: pd.DataFrame, most: int, keep: str = "") -> pd.DataFrame:
    """At most about `most` rows: the front, what runs and the row `keep` first, then evenly of the rest."""
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
    found = parse_candidate(key)
    if found is None or not len(table):
        return None
    mask = table["key"] == found.key
    return table[mask].iloc[0] if mask.any() else None


def trials_in_words(study: Snapshot) -> str:
    """How many trials a study ran, by their state, their repeats, and how many others another study told it."""
    states = study.own_trials["state"].value_counts()
    others = {
        "repeats": len(study.trials) - len(study.distinct_trials),
        "told by another study": len(study.told_trials),
    }
    parts = [f"{n:,} {str(state).lower()}" for state, n in states.items()]
    return ", ".join([*parts, *(f"{n:,} {what}" for what, n in others.items() if n)]) or "no trials yet"


def candidate_of(row: Mapping[Any, Any] | pd.Series) -> Candidate:
    """Which candidate a row is."""
    return Candidate(int(row["trial"]), Place.of(row))


def course_of(table: pd.DataFrame, row: pd.Series, *, all_roles: bool = False) -> pd.DataFrame:
    """The candidates of a row's trial on its axis, those of its role or of all roles."""
    same = (table["trial"] == row["trial"]) & (table["axis"] == row["axis"])
    return table[same if all_roles else same & (table["role"] == row["role"])]


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
    return recipe_of({name: row[name] for name in parameters if name in row.index})


def recipe_of(asked: Mapping[Any, Any]) -> str:
    """A trial's method, where there are several, and the parameters that it has, in one line."""
    said = [f"{name} {parameter_text(value)}" for name, value in own(asked).items()]
    return ", ".join([*([str(asked[METHOD])] if METHOD in asked else []), *said])


def recipes(rows: pd.DataFrame, parameters: Sequence[str]) -> list[str]:
    """`recipe` of every row."""
    if METHOD in parameters or rows[list(parameters)].isna().to_numpy().any():
        return [recipe_of(asked) for asked in rows[list(parameters)].to_dict("records")]
    columns = [[f"{name} {parameter_text(value)}" for value in rows[name].tolist()] for name in parameters]
    return [", ".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(rows)


def command(study: Snapshot, row: pd.Series) -> list[str]:
    """The command line that runs a candidate's trial again, no further than its step; empty where none is known."""
    about = study.facts.about
    if "settings" not in about:
        return []
    asked = {name: row[name] for name in study.parameters}
    method = {METHOD: method_of(about, asked)}
    return ["python", *run_again(about | method, run_settings(study, row), row["axis"], row["at"])]


def run_settings(study: Snapshot, row: pd.Series) -> dict[str, Any]:
    """The settings of a candidate's run: its study's, of its arm, those that its trial chose, and a repeat's seed."""
    about = study.facts.about
    asked = {name: row[name] for name in study.parameters}
    chosen = own(asked)
    arms = {arm["name"]: arm["settings"] for arm in about.get("ablation", {}).get("arms", ())}
    seed = {"seed": int(row[REPEAT_SEED])} if REPEAT_SEED in row.index else {}
    return settings_of(about, asked) | (arms[chosen.pop("arm")] if arms else {}) | chosen | seed
