"""An arena as tables: many methods, each searched under one budget with several seeds, and who is better than whom.

    from lethe.analysis.arena import read_arena
    from lethe.store.names import arenas_of
    arena = read_arena("sqlite:////home/me/lethe-results/studies.db", "muse-mini-arena")
    arena.entrants      # a pandas table: a row for each method, the best first
    arena.words         # which to take, why, and how sure that is

An entrant is a method, or a variant of one; it has a study for each seed. What is compared is the hypervolume of the
feasible candidates that a study found within the budget (`budget`), by the rule of `pairs`. While an arena runs, all
are compared at the budget that each of them has spent already. Imports no ray.
"""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from lethe.analysis import pairs, standings
from lethe.analysis.budget import SPENT, Progress, placed, progress, within
from lethe.analysis.decide import recommend, volume_history
from lethe.fronts import pareto
from lethe.fronts.objectives import loss_array
from lethe.store.facts import ARENA, Facts
from lethe.store.names import studies_of
from lethe.store.places import PLACE
from lethe.store.snapshot import Reader, Snapshot

MOST_POINTS = 100  # of a study's course


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One study of an arena: whose it is, and how far."""

    entrant: str
    family: str
    seed: int
    study: str
    parameters: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class Arena:
    """An arena at one moment. `candidates` are those that count under the budget, of all studies.

    Their columns are those of a study's candidates, and entrant, family, seed, study, `spent` (of the study by then),
    `first` (the number by which the trial first ran); `front` is that of the entrant's candidates of all seeds, and
    `best` that of all there are.
    """

    name: str
    facts: Facts
    budget: float
    planned: tuple[str, ...]  # the entrants, in the order in which they were named
    seeds: tuple[int, ...]
    entries: tuple[Entry, ...]
    candidates: pd.DataFrame

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that any entrant has."""
        return list(dict.fromkeys(name for entry in self.entries for name in entry.parameters))

    @property
    def shares(self) -> pd.DataFrame:
        """How far each study is: entrant, seed, study, trials, failed, spent, share of the budget; 0 if not begun."""
        known = {(entry.entrant, entry.seed): entry for entry in self.entries}
        rows = [_share_of(known.get((name, seed)), name, seed) for name in self.planned for seed in self.seeds]
        return pd.DataFrame(rows)

    @functools.cached_property
    def equal(self) -> float:
        """The budget at which all are compared: what each has spent already; the whole once all are through."""
        missing = len(self.entries) < len(self.planned) * len(self.seeds)
        behind = [entry.progress.spent for entry in self.entries if not entry.progress.lasts]
        return 0.0 if missing else min([self.budget, *behind])

    @functools.cached_property
    def compared(self) -> pd.DataFrame:
        """The candidates that count at the equal budget, with the fronts of these; all while there is none."""
        if self.equal in (0.0, self.budget) or not len(self.candidates):
            return self.candidates
        return _fronts([within(self.candidates, self.equal)], self.facts)

    @functools.cached_property
    def volumes(self) -> pd.DataFrame:
        """Hypervolume [entrants, seeds] at the equal budget.

        NaN where nothing has ended yet, and for an entrant whose every trial failed, of which nothing is known.
        """
        table = pd.DataFrame(np.nan, index=list(self.planned), columns=list(self.seeds))
        counted = self._by_study(self.compared)
        for entry in self.entries:
            if entry.progress.trials and self.equal > 0 and not self._all_failed(entry.entrant):
                table.loc[entry.entrant, entry.seed] = self._volume(counted.get(entry.study))
        return table

    @functools.cached_property
    def entrants(self) -> pd.DataFrame:
        """A row for each entrant, the largest hypervolume first.

        Columns: entrant, family, n (seeds), hypervolume, low, high, trials, failed, reason (the most frequent), cost,
        share (of the budget, of the seed that is least far), collapsed (share of the compared candidates that broke a
        constraint), and of the recommended one of these study, seed, trial, axis, at, role, every score with its
        interval, and recipe, its parameters by name; NaN or None where there is none. Trials, failures and cost are
        all that there were so far.
        """
        found = pairs.levels(self.volumes).rename(columns={"mean": "hypervolume"})
        found[["low", "high"]] = found[["low", "high"]].clip(0.0, 1.0)
        rows = [level | self._row(str(level["entrant"])) for level in found.to_dict("records")]
        return pd.DataFrame(rows).sort_values("hypervolume", ascending=False, kind="stable", ignore_index=True)

    @functools.cached_property
    def comparisons(self) -> pd.DataFrame:
        """Every pair of entrants that has volumes; see `pairs.pairs`."""
        return pairs.pairs(self.volumes)

    @functools.cached_property
    def course(self) -> pd.DataFrame:
        """Hypervolume of each study's front by what it had spent: entrant, seed, cost, volume; up to all it spent."""
        studies = self._by_study(self.candidates)
        parts = [self._course_of(entry, studies.get(entry.study)) for entry in self.entries]
        return (
            pd.concat(parts, ignore_index=True)
            if parts
            else pd.DataFrame(columns=["entrant", "seed", "cost", "volume"])
        )

    @functools.cached_property
    def together(self) -> float:
        """Hypervolume of all entrants' candidates of a seed at the equal budget, the mean over seeds; NaN for none."""
        if not len(self.compared) or self.equal == 0:
            return np.nan
        return float(np.mean([self._volume(own) for _, own in self.compared.groupby("seed")]))

    @functools.cached_property
    def recommended(self) -> dict[str, Any]:
        """Of all that are compared the recommended candidate: entrant, seed, and as in `entrants`; empty for none."""
        found = self._chosen(self.compared if len(self.compared) else None)
        own = {entry.study: entry.entrant for entry in self.entries}
        return found and {"entrant": own[found["study"]], **found}

    def without(self, score: str) -> Self:
        """The same arena, its candidates judged by all objectives but one; they were searched for by all of them."""
        left = tuple(objective for objective in self.facts.objectives if objective.score != score)
        facts = replace(self.facts, objectives=left)
        return replace(self, facts=facts, candidates=_fronts([self.candidates] if len(self.candidates) else [], facts))

    @functools.cached_property
    def left_out(self) -> dict[str, pd.DataFrame]:
        """Objective -> hypervolumes [entrants, seeds] without it; nothing where there is only one."""
        scores = [objective.score for objective in self.facts.objectives]
        return {score: self.without(score).volumes for score in scores} if len(scores) > 1 else {}

    @functools.cached_property
    def words(self) -> list[str]:
        """The whole arena in a few sentences; see `standings`."""
        standing = standings.Standing(
            facts=self.facts,
            budget=self.budget,
            equal=self.equal,
            entrants=self.entrants,
            comparisons=self.comparisons,
            shares=self.shares,
            planned=self.planned,
            together=self.together,
            recommended=self.recommended,
            left_out=self.left_out,
        )
        return list(standings.words(standing))

    def _by_study(self, candidates: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        return {str(name): own for name, own in candidates.groupby("study")} if len(candidates) else {}

    def _of(self, entrant: str) -> pd.DataFrame | None:
        """An entrant's candidates that are compared; None where it has none at all."""
        own = self.compared[self.compared["entrant"] == entrant] if len(self.compared) else self.compared
        return own if len(own) else None

    def _all_failed(self, entrant: str) -> bool:
        own = [entry.progress for entry in self.entries if entry.entrant == entrant]
        return all(progress.trials == len(progress.reasons) for progress in own)

    def _volume(self, candidates: pd.DataFrame | None) -> float:
        good = candidates[candidates["feasible"].to_numpy(bool)] if candidates is not None else None
        return pareto.hypervolume(loss_array(good, self.facts.objectives)) if good is not None and len(good) else 0.0

    def _course_of(self, entry: Entry, candidates: pd.DataFrame | None) -> pd.DataFrame:
        none = pd.DataFrame({"cost": [0.0], "volume": [0.0]})
        if candidates is None:
            return none.assign(entrant=entry.entrant, seed=entry.seed)
        costs = candidates[SPENT].to_numpy(float)
        losses, good = loss_array(candidates, self.facts.objectives), candidates["feasible"].to_numpy(bool)
        batches = np.array_split(np.unique(costs), min(len(np.unique(costs)), MOST_POINTS))
        groups = [losses[good & (costs >= batch[0]) & (costs <= batch[-1])] for batch in batches]
        table = pd.DataFrame({"cost": [batch[-1] for batch in batches], "volume": volume_history(groups)})
        end = self.budget if entry.progress.lasts else min(entry.progress.spent, self.budget)
        known = [*([] if costs.min() == 0 else [none]), table, table.tail(1).assign(cost=end)]
        begun = pd.concat(known if end > costs.max() else known[:-1], ignore_index=True)
        return begun.assign(entrant=entry.entrant, seed=entry.seed)

    def _row(self, entrant: str) -> dict[str, Any]:
        own = [entry for entry in self.entries if entry.entrant == entrant]
        reasons = Counter(reason for entry in own for reason in entry.progress.reasons)
        candidates = self._of(entrant)
        return {
            "family": own[0].family if own else "",
            "trials": sum(entry.progress.trials for entry in own),
            "failed": reasons.total(),
            "reason": reasons.most_common(1)[0][0] if reasons else None,
            "cost": sum(entry.progress.spent for entry in own),
            "share": min((entry.progress.share for entry in own), default=0.0) if len(own) == len(self.seeds) else 0.0,
            "collapsed": np.nan if candidates is None else 1 - candidates["feasible"].mean(),
            **self._chosen(candidates),
        }

    def _chosen(self, candidates: pd.DataFrame | None) -> dict[str, Any]:
        if candidates is None:
            return {}
        found = recommend(candidates, self.facts.objectives, self.facts.constraints)
        if found is None:
            return {}
        row = candidates.iloc[found.row]
        parameters = next(entry.parameters for entry in self.entries if entry.study == row["study"])
        recipe = {name: row[name] for name in parameters if pd.notna(row[name])}
        return {name: row[name] for name in ("study", "seed", "trial", *PLACE, "items", *_scores(candidates))} | {
            "recipe": recipe
        }


def read_arena(url: str, name: str) -> Arena:
    """Read an arena from a store. ValueError where it is not there, or cannot be read."""
    studies = studies_of(url)
    if name not in studies:
        raise ValueError(f"there is no arena {name!r} (there: {', '.join(studies) or 'none'}): `lethe arena` makes one")
    return arena_of([Reader(url, study).read() for study in studies[name]])


def arena_of(studies: Sequence[Snapshot]) -> Arena:
    """The arena that some studies are, all of one arena and at least one."""
    said = studies[0].facts.about[ARENA]
    budget = float(said["budget"])
    entries = tuple(map(_entry, studies))
    planned = dict.fromkeys([*said.get("entrants", ()), *(entry.entrant for entry in entries)])
    seeds = sorted({*map(int, said.get("seeds", ())), *(entry.seed for entry in entries)})
    return Arena(
        name=str(said["name"]),
        facts=studies[0].facts,
        budget=budget,
        planned=tuple(map(str, planned)),
        seeds=tuple(seeds),
        entries=entries,
        candidates=_fronts(list(_counted(studies, entries, budget)), studies[0].facts),
    )


def _entry(study: Snapshot) -> Entry:
    said = study.facts.about[ARENA]
    return Entry(
        entrant=str(said["entrant"]),
        family=str(said.get("family", "")),
        seed=int(said["seed"]),
        study=study.name,
        parameters=tuple(study.parameters),
        progress=progress(study, float(said["budget"])),
    )


def _counted(studies: Sequence[Snapshot], entries: Sequence[Entry], budget: float) -> Iterator[pd.DataFrame]:
    for study, entry in zip(studies, entries, strict=True):
        own = within(placed(study), budget)
        if len(own):
            yield own.assign(entrant=entry.entrant, family=entry.family, seed=entry.seed, study=study.name)


def _fronts(tables: Sequence[pd.DataFrame], facts: Facts) -> pd.DataFrame:
    """All candidates in one table, with the fronts of each entrant and of all."""
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    losses, feasible = loss_array(table, facts.objectives), table["feasible"].to_numpy(bool)
    front = np.zeros(len(table), dtype=bool)
    for rows in table.groupby("entrant").indices.values():
        front[rows] = pareto.front(losses[rows], feasible[rows])
    return table.assign(front=front, best=pareto.front(losses, feasible))


def _scores(candidates: pd.DataFrame) -> list[str]:
    names = [str(name).removesuffix("_low") for name in candidates.columns if str(name).endswith("_low")]
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]


def _share_of(entry: Entry | None, entrant: str, seed: int) -> dict[str, Any]:
    """How far one study is."""
    if entry is None:
        return {"entrant": entrant, "seed": seed, "study": "", "trials": 0, "failed": 0, "spent": 0.0, "share": 0.0}
    own = entry.progress
    return {
        "entrant": entrant,
        "seed": seed,
        "study": entry.study,
        "trials": own.trials,
        "failed": len(own.reasons),
        "spent": own.spent,
        "share": own.share,
    }
