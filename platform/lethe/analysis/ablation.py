"""A finished or running ablation as tables: its runs, what each arm scores, and what each part contributes.

    from lethe.analysis.ablation import read_ablation
    ablation = read_ablation("sqlite:////home/me/lethe-results/studies.db", "muse-mini-loco")
    ablation.effects()      # a pandas table: arm, score, difference to the baseline, interval, corrected p

A run is represented by one candidate: that of the `role` that is asked for, the last one on its axis. The rule is
the same for all arms and looks at no score. Imports no ray.
"""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lethe.analysis import effects
from lethe.analysis.designs import (
    BASELINE,
    ONE_AT_A_TIME,
    Design,
    Part,
    aliases,
    fractional_factorial,
    full_factorial,
    make_design,
    one_at_a_time,
    union,
)
from lethe.analysis.effects import Measured, contrast
from lethe.analysis.redraws import read_items, redrawer
from lethe.fronts import pareto
from lethe.fronts.objectives import MAXIMIZE, TWO_SIDED, WORST, compared, compared_interval, improves, loss_array
from lethe.store.audits import Audited
from lethe.store.facts import Facts
from lethe.store.places import PLACE, STEP
from lethe.store.snapshot import Reader, Snapshot
from lethe.store.trials import INTERRUPTED

__all__ = [
    "Ablation",
    "Design",
    "ablation_of",
    "fractional_factorial",
    "full_factorial",
    "is_ablation",
    "make_design",
    "one_at_a_time",
    "read_ablation",
    "union",
]
DESIGN = "ablation"  # in a study's facts: its design
ARM, SEED = "arm", "seed"  # the parameters of an ablation's trials
VOLUME = "hypervolume"
ENDED_BADLY, NOT_YET = "failed", "not yet"


@dataclass(frozen=True)
class Ablation:
    """An ablation at one moment; `runs` has a row for each arm and seed: what it scored, or why it did not.

    Columns of `runs`: arm, seed, trial, state, failure, axis, at, items, every score with its interval (as _low and
    _high), hypervolume (of the run's own front).
    """

    name: str
    facts: Facts
    design: Design
    role: str
    runs: pd.DataFrame
    candidates: pd.DataFrame  # every scored candidate, with its arm and seed
    items: bool = True  # whether intervals allow for other items; without, nothing but the store is read
    audits: tuple[Audited, ...] = ()  # what audits measured of its candidates

    @property
    def seeds(self) -> list[int]:
        """The seeds, of whatever arm."""
        return sorted(int(seed) for seed in self.runs[SEED].unique())

    @functools.cached_property
    def goals(self) -> dict[str, str]:
        """The scores that are compared, objectives first, and where each should go."""
        goals = {o.score: o.goal for o in self.facts.objectives}
        goals |= {c.score: c.goal for c in self.facts.constraints if c.score not in goals}
        return {score: goal for score, goal in goals.items() if score in self.runs.columns}

    def gaps(self) -> pd.DataFrame:
        """The runs that gave no score: arm, seed, why."""
        missing = self.runs[self.runs["state"] != "COMPLETE"]
        return missing[[ARM, SEED, "failure"]].reset_index(drop=True)

    def without_items(self) -> list[str]:
        """The scores whose intervals do not allow for other items, in some arm, for its items are not at hand."""
        return [score for score in self.goals if _lacks_items(self.measured(score))]

    def arms(self) -> pd.DataFrame:
        """What each arm scores: arm, score, n, mean, low, high; NaN for an arm without a run that ended.

        An interval lies within the score's range, and is never narrower than the runs' own over items: that all seeds
        score 0 on the same few items says no more of other items than that one does.
        """
        rows = [
            {"arm": arm.name, "score": score, **self._level(arm.name, score)}
            for arm in self.design
            for score in (*self.goals, VOLUME)
        ]
        return pd.DataFrame(rows).rename(columns={"value": "mean"}).drop(columns=["p", "sd"])

    def _level(self, arm: str, score: str) -> dict[str, float]:
        found = _plain(contrast(self.measured(score), {arm: 1.0}))
        own = self.runs[(self.runs[ARM] == arm) & (self.runs["state"] == "COMPLETE")]
        if found["n"] < 2 or score == VOLUME:
            return found | {"low": max(found["low"], 0.0)}
        names = [f"{score}{end}" for end in ("", "_low", "_high")]
        goal = self.goals[score]
        _, low, high = np.mean([compared_interval(goal, ends) for ends in own[names].to_numpy(float).tolist()], axis=0)
        top = math.inf if goal == TWO_SIDED else WORST
        return found | {
            "low": max(np.fmin(found["low"], low), 0.0),
            "high": min(np.fmax(found["high"], high), top),
        }

    def effects(self) -> pd.DataFrame:
        """The difference of every arm to the baseline, paired by seed, one row for each arm and score.

        Columns: effect (the arm), score, goal, n seeds, value, low, high, p, sd (between seeds), p_holm (corrected
        over all rows), better (by the goal), sure (p_holm below 5%), needed (seeds that would tell a difference of
        this size; NaN: more than 200). For a score whose goal is 0 the difference is that of its distance from 0.
        """
        weights = {arm.name: {arm.name: 1.0, BASELINE: -1.0} for arm in self.design if arm.name != BASELINE}
        return self._compare(weights, tuple(self.goals))

    def volumes(self) -> pd.DataFrame:
        """The difference of every arm's hypervolume to the baseline's, as in `effects`; corrected among themselves."""
        weights = {arm.name: {arm.name: 1.0, BASELINE: -1.0} for arm in self.design if arm.name != BASELINE}
        return self._compare(weights, (VOLUME,))

    def factors(self) -> pd.DataFrame:
        """Main effects and two-way interactions of the factorial parts, as in `effects`; empty where there is none.

        A main effect is a level's difference to the baseline's, averaged over the other switches; an interaction is how
        much larger one switch's effect is with the other's level than without. `aliases` names what a fraction cannot
        tell from it.
        """
        tables = []
        for part in self.design.parts:
            if part.kind != ONE_AT_A_TIME:
                found = part_contrasts(part)
                table = self._compare({name: weights for name, (weights, _) in found.items()}, tuple(self.goals))
                table["aliases"] = [
                    "; ".join(" × ".join(alias) for alias in aliases(found[name][1], part)) for name in table["effect"]
                ]
                tables.append(table)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    @functools.cached_property
    def _measured(self) -> dict[str, Measured]:
        read = functools.cache(read_items if self.items else lambda file: None)
        reference = read(self.facts.about.get("items", {}).get("retrained"))
        redraws = {score: redrawer(self.facts.card(score), reference) for score in self.goals} | {VOLUME: None}
        return {
            score: _measure(self.runs, score, self.goals.get(score, MAXIMIZE), read, redraw)
            for score, redraw in redraws.items()
        }

    def measured(self, score: str) -> Measured:
        """One score of every run, as it is compared: where the goal is 0, its distance from 0."""
        return self._measured[score]

    def _compare(self, weights: Mapping[str, Mapping[str, float]], scores: Sequence[str]) -> pd.DataFrame:
        found = [(name, score, contrast(self.measured(score), w)) for name, w in weights.items() for score in scores]
        rows = [
            {"effect": name, "score": score, "goal": self.goals.get(score, MAXIMIZE), **_plain(estimate)}
            for name, score, estimate in found
        ]
        table = pd.DataFrame(rows)
        if not len(table):
            return table
        table["p_holm"] = effects.corrected(table["p"].to_numpy(float))
        table["better"] = [improves(*pair) for pair in zip(table["goal"], table["value"], strict=True)]
        table["sure"] = table["p_holm"] < effects.ALPHA
        count = int(table["p"].notna().sum())
        table["needed"] = [effects.seeds_needed(e, count) if e else np.nan for _, _, e in found]
        table["needed"] = table["needed"].astype(float)
        return table


def read_ablation(url: str, name: str, *, role: str = "", items: bool = True) -> Ablation:
    """Read an ablation from a store. ValueError as in `ablation_of`, and where it is not there."""
    return ablation_of(Reader(url, name).read(), role=role, items=items)


def roles_of(candidates: pd.DataFrame) -> list[str]:
    """The roles of the candidates that were scored, by name."""
    return sorted(candidates["role"].unique()) if len(candidates) else []


def is_ablation(facts: Facts) -> bool:
    """Whether a study is an ablation."""
    return DESIGN in facts.about


def ablation_of(study: Snapshot, *, role: str = "", items: bool = True) -> Ablation:
    """The ablation that a study is; without a role, the first that was scored, by name, represents its runs.

    ValueError where it is none, and for a role that it does not have.
    """
    if not is_ablation(study.facts):
        raise ValueError(f"study {study.name!r} is a search and no ablation: `lethe ablate` makes one")
    known = roles_of(study.candidates)
    if role and known and role not in known:
        raise ValueError(f"role {role!r} is unknown: choose {', '.join(known)}")
    design = Design.from_json(study.facts.about[DESIGN])
    role = role or next(iter(known), "candidate")
    runs = _runs(study, design, role)
    return Ablation(study.name, study.facts, design, role, runs, study.candidates, items, study.audits)


def part_contrasts(part: Part) -> dict[str, tuple[dict[str, float], tuple[str, ...]]]:
    """Main effects and two-way interactions of a factorial part: name -> weight of each arm, and the switches in it."""
    found: dict[str, tuple[dict[str, float], tuple[str, ...]]] = {}
    for switch, (base, *others) in part.switches.items():
        for level in others:
            found[f"{switch}={level}"] = _difference(part, {switch: level}, {switch: base}), (switch,)
    for (a, (a0, *a_levels)), (b, (b0, *b_levels)) in itertools.combinations(part.switches.items(), 2):
        for x, y in itertools.product(a_levels, b_levels):
            with_b = _difference(part, {a: x, b: y}, {a: a0, b: y})
            without = _difference(part, {a: x, b: b0}, {a: a0, b: b0})
            weights = {arm: with_b.get(arm, 0.0) - without.get(arm, 0.0) for arm in part.arms}
            found[f"{a}={x} × {b}={y}"] = weights, (a, b)
    return found


def _difference(part: Part, levels: Mapping[str, str], base: Mapping[str, str]) -> dict[str, float]:
    """The mean of the arms with some levels minus that of the arms with others, as weights."""
    ours, theirs = (
        [arm for arm, have in part.arms.items() if all(have[s] == level for s, level in wanted.items())]
        for wanted in (levels, base)
    )
    return {arm: 1 / len(ours) for arm in ours} | {arm: -1 / len(theirs) for arm in theirs}


def _runs(study: Snapshot, design: Design, role: str) -> pd.DataFrame:
    """A row for each arm and seed that is planned or ended; interrupted trials give way to those that repeat them."""
    trials = study.trials[study.trials["failure"] != INTERRUPTED] if len(study.trials) else study.trials
    candidates = (
        study.candidates[study.candidates["state"] == "COMPLETE"] if len(study.candidates) else study.candidates
    )
    rows = []
    for trial in trials.to_dict("records"):
        if trial["state"] in ("COMPLETE", "FAIL") and trial[ARM] is not None:
            own = candidates[candidates["trial"] == trial["number"]] if len(candidates) else candidates
            rows.append(_run(trial, own, study.facts, role))
    ended = {(row[ARM], row[SEED]) for row in rows}
    seeds = sorted({row[SEED] for row in rows})
    waiting = {"trial": None, "state": "WAITING", "failure": NOT_YET}
    rows += [{ARM: a.name, SEED: s, **waiting} for a in design for s in seeds if (a.name, s) not in ended]
    table = pd.DataFrame(rows, columns=None if rows else [ARM, SEED, "trial", "state", "failure", *PLACE, "items"])
    order = {arm.name: i for i, arm in enumerate(design)}
    if len(table):
        table = table.sort_values([ARM, SEED], key=lambda c: c.map(order) if c.name == ARM else c, ignore_index=True)
    return table


def _run(trial: Mapping[Any, Any], candidates: pd.DataFrame, facts: Facts, role: str) -> dict[str, Any]:
    row: dict[str, Any] = {ARM: trial[ARM], SEED: int(trial[SEED]), "trial": trial["number"], "state": trial["state"]}
    own = candidates[candidates["role"] == role] if len(candidates) else candidates
    if trial["state"] != "COMPLETE" or not len(own):
        return row | {"state": "FAIL", "failure": trial["failure"] or f"no {role} was scored"}
    stepwise = own[own["axis"] == STEP]  # where a run also has mixtures, they come behind its last step
    last = (stepwise if len(stepwise) else own).iloc[-1]
    scores = [name.removesuffix("_low") for name in candidates.columns if str(name).endswith("_low")]
    feasible = candidates[candidates["feasible"].to_numpy(bool)]
    losses = loss_array(feasible, facts.objectives) if len(feasible) else np.zeros((0, 1))
    ends = [f"{name}{end}" for name in scores for end in ("", "_low", "_high")]
    found = {name: last[name] for name in (*PLACE, "items", *ends)}
    return row | found | {"failure": None, VOLUME: pareto.hypervolume(losses)}


def _measure(runs: pd.DataFrame, score: str, goal: str, read: Any, redraw: Any) -> Measured:
    """A score of all runs by arm and seed, and its redraws where the items of every run are known and say the same."""
    if score not in runs.columns:
        return Measured(values=pd.DataFrame())
    table = runs.pivot(index=ARM, columns=SEED, values=score).astype(float)
    redrawn: dict[str, np.ndarray] = {}
    items = 0
    for arm, rows in runs.groupby(ARM):
        columns = []
        for row in rows.sort_values(SEED).to_dict("records"):
            found = redraw(read(row["items"]), str(arm)) if redraw and row["state"] == "COMPLETE" else None
            if found and abs(found[0] - row[score]) < 1e-6 * max(1.0, abs(row[score])):
                items = found[2]
            else:
                found = None
            columns.append(compared(goal, found[1]) if found else np.full(effects.RESAMPLES, np.nan))
        redrawn[str(arm)] = np.column_stack(columns)
    return Measured(values=compared(goal, table), redrawn=redrawn if items else None, items=items)


def _lacks_items(measured: Measured) -> bool:
    """Whether some run that gave a score has no redraws of it."""
    ended = measured.values.notna()
    return measured.redrawn is None or any(
        np.isnan(measured.redrawn[arm][:, ended.loc[arm].to_numpy(bool)]).all(axis=0).any() for arm in ended.index
    )


def _plain(found: effects.Estimate | None) -> dict[str, float]:
    found = found or effects.Estimate(value=np.nan)
    return {"n": found.n, "value": found.value, "low": found.low, "high": found.high, "p": found.p, "sd": found.sd}
