"""An arena in plain words: which method to take, why, how sure that is, and where the budget cannot tell. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lethe.analysis.cells import listed, number, with_interval
from lethe.analysis.pairs import MOST_SEEDS, pairs
from lethe.fronts.objectives import WISHES, Constraint
from lethe.store.facts import Facts
from lethe.store.places import PLACE, Place

METHOD = (
    "Every entrant had the same budget for each seed; trials count in the order in which they first ran, as far as the "
    "budget goes. Compared is hypervolume: the share of the box between the best scores and the worst that the "
    "feasible candidates of one seed's study dominate, the mean over seeds. Differences are tested by Tukey's method, "
    "which allows for all {pairs} pairs at once (5% for one false alarm in all of them together): the spread between "
    "seeds is pooled over the entrants whose seeds differ, a pair that spreads more than the pool counts by its own, "
    "and the degrees of freedom are Satterthwaite's. In simulations of 20 equal entrants with 2 to 5 seeds, also where "
    "half spread three times as much as the others, no more than about 6 of 100 arenas told any two of them apart. The "
    "intervals allow for other seeds, and not for other test items: all entrants are scored on the same ones. The "
    "candidate to take of a method is the knee of its front: what it gives up of the best in each objective, as shares "
    "of their ranges, has the smallest sum."
)
COLLAPSED = 0.5  # of an entrant's candidates: from here on it is said
FIRST = 3  # so many are named where an objective is left out
NEAREST = 5  # of those that are not told apart from the best: so many are named with their difference
NEXT_TO_NOTHING = 0.001  # of hypervolume


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """What the words are made of: the tables of an `Arena`, and of all its candidates the recommended one."""

    facts: Facts
    budget: float
    equal: float
    entrants: pd.DataFrame
    comparisons: pd.DataFrame
    shares: pd.DataFrame
    planned: tuple[str, ...]
    together: float
    recommended: Mapping[str, Any]
    left_out: Mapping[str, pd.DataFrame]

    @property
    def ranked(self) -> pd.DataFrame:
        """The entrants that are compared, the best first."""
        return self.entrants[self.entrants["hypervolume"].notna()]

    @property
    def seeds(self) -> int:
        """How many seeds an entrant has that has most."""
        return int(self.entrants["n"].max()) if len(self.entrants) else 0


def words(arena: Standing) -> Iterator[str]:
    """The whole arena in a few sentences, the answer first."""
    if not len(arena.ranked):
        yield "There is nothing to compare yet."
        yield from unfinished(arena)
        yield from failures(arena)
        return
    yield verdict(arena)
    yield from unfinished(arena)
    best = arena.ranked.iloc[0]
    yield from why(arena, best)
    yield from others(arena, str(best["entrant"]))
    yield from held_down(arena)
    yield from hangs_on(arena)
    yield from undecided(arena)
    yield from fallen(arena)
    yield from edge(arena)
    yield from failures(arena)
    yield from union(arena)


def verdict(arena: Standing) -> str:
    """Which entrant to take, and whether that is told from chance."""
    best = arena.ranked.iloc[0]
    name = str(best["entrant"])
    covers = f"a hypervolume of {volume_cell(best)} (of 1) over {counted(int(best['n']), 'seed')}, the largest"
    if len(arena.ranked) == 1:
        return f"{name} has {volume_cell(best)} of hypervolume, and there is no other entrant to compare it with."
    if arena.seeds == 1:
        return f"No verdict: one seed says nothing of how sure a difference is. {name} has {covers}."
    if not np.isfinite(arena.comparisons["low"]).any():
        return f"No verdict: every entrant gave the very same in each seed. {name} has {covers}."
    alike = _others(arena, name, sure=False)
    if (arena.shares["share"] < 1).any():
        told = f", and {counted(len(alike), 'other')} not told apart from it" if alike else ", and clearly so"
        return f"Provisional, the arena is not through: so far {name} has {covers}{told}."
    if not alike:
        return f"Take {name}: with {covers}, it is clearly better than every other entrant."
    if len(alike) == len(arena.ranked) - 1:
        return f"No method is clearly the best. {name} has {covers}, and no other is told apart from it."
    return f"Take {name}, or one of those that are not told apart from it ({listed(alike)}). It has {covers}."


def unfinished(arena: Standing) -> Iterator[str]:
    """How far an arena is that is not through, and at which budget all are compared."""
    behind = arena.shares[arena.shares["share"] < 1]
    if not len(behind):
        return
    ends = [f"{share:.0%}" for share in (behind["share"].min(), behind["share"].max())]
    spent = " to ".join(dict.fromkeys(ends))
    yield (
        f"{len(behind)} of {len(arena.shares)} studies go on; they have spent {spent} of their budgets. The same "
        "command with --resume goes on where it was stopped."
    )
    if arena.equal > 0:
        part = arena.equal / arena.budget
        yield (
            f"All are compared at {cost_cell(arena.equal)} ({part:.0%} of the budget): candidates that cost more do "
            "not count yet, which may leave out a method's last step and not another's."
        )
        return
    waiting = list(dict.fromkeys(behind.loc[behind["spent"] == 0, "entrant"]))
    yield f"Nothing can be compared at an equal budget before each has ended a trial; still to come: {listed(waiting)}."


def why(arena: Standing, best: pd.Series) -> Iterator[str]:
    """What the best entrant's recommended candidate forgets and keeps, and the one of all where that is another."""
    chosen = arena.recommended
    if isinstance(best.get("study"), str):
        yield (
            f"The candidate of {best['entrant']} to take is the knee of its front, which gives up least over all "
            f"objectives: {candidate(best, arena.facts)}."
        )
    if chosen and any(chosen[name] != best[name] for name in ("study", "trial", *PLACE)):
        yield (
            f"Of the candidates of all methods the knee of the front (the smallest sum of what is given up of each "
            f"objective, as shares of its range) is another, {chosen['entrant']}'s: {candidate(chosen, arena.facts)}."
        )


def others(arena: Standing, best: str) -> Iterator[str]:
    """Who is worse than the best, who is not told apart from it, and what would tell."""
    worse, alike = _others(arena, best, sure=True), _others(arena, best, sure=False)
    if worse:
        yield f"Clearly worse than {best}, after correction for {len(arena.comparisons)} comparisons: {listed(worse)}."
    if not alike or not np.isfinite(arena.comparisons["low"]).any():
        return
    rows = arena.comparisons[arena.comparisons["entrant"] == best].to_dict("records")
    own = [row for row in rows if row["other"] in alike]
    told = [f"{row['other']} ({number(row['difference'], 3)} less)" for row in own[:NEAREST]]
    told += [f"{len(own) - NEAREST} more"] if len(own) > NEAREST else []
    yield f"Not told apart from {best}: {listed(told)}. {seeds_that_tell([r['needed'] for r in own])}"


def seeds_that_tell(needed: Sequence[float]) -> str:
    """How many seeds would tell some differences, if they are as large as they look."""
    counts = [int(count) for count in needed if np.isfinite(count)]
    if not counts:
        return f"Not even {MOST_SEEDS} seeds would tell differences of this size."
    most = f"{max(counts)}" if len(counts) == len(needed) else f"more than {MOST_SEEDS}"
    span = most if most == f"{min(counts)}" else f"{min(counts)} to {most}"
    return (
        f"If the differences are as large as they look, about {span} seeds in all would tell them, each as the table "
        "says."
    )


def undecided(arena: Standing) -> Iterator[str]:
    """Among how many pairs the budget cannot tell."""
    known = arena.comparisons[np.isfinite(arena.comparisons["low"].to_numpy(float))]
    if len(known) < 2:
        return
    pairs, sure = len(known), int(known["sure"].sum())
    by = f"told apart by {counted(arena.seeds, 'seed')} at this budget"
    if sure == 0:
        yield f"None of {pairs} pairs is {by}: of no two can it be said which is better."
    elif sure == pairs:
        yield f"All {pairs} pairs are {by}."
    else:
        yield (
            f"Of {pairs} pairs {sure} {'is' if sure == 1 else 'are'} {by}; of the others it cannot be said which is "
            "better."
        )


def held_down(arena: Standing) -> Iterator[str]:
    """The objectives for which entrants have next to no hypervolume, each the one without which they have most."""
    whole = arena.ranked.set_index("entrant")["hypervolume"]
    low = whole.index[whole < NEXT_TO_NOTHING]
    without = pd.DataFrame({score: volumes.mean(axis=1)[low] for score, volumes in arena.left_out.items()})
    for score, own in without.items():
        held = own[(own >= 10 * NEXT_TO_NOTHING) & (without.max(axis=1) == own)]
        if len(held):
            span = " to ".join(dict.fromkeys(number(value, 3) for value in (held.min(), held.max())))
            yield (
                f"Because of {score}, which stays near its worst, {len(held)} of {counted(len(whole), 'method')} "
                f"{'has' if len(held) == 1 else 'have'} next to no hypervolume: {listed(list(held.index))}. Without "
                f"that objective it would be {span}."
            )


def hangs_on(arena: Standing) -> Iterator[str]:
    """Who covers most if an objective is left out: whether the answer hangs on what was asked."""
    told = [f"without {score} {first_of(volumes)}" for score, volumes in arena.left_out.items()]
    if told and len(arena.ranked) > 1:
        yield f"If one objective is left out, the largest hypervolumes of the same candidates are: {'; '.join(told)}."


def first_of(volumes: pd.DataFrame) -> str:
    """The entrants with most of some hypervolumes [entrants, seeds], and how many are clearly behind the first."""
    means = volumes.mean(axis=1).dropna().sort_values(ascending=False, kind="stable")
    told = listed([f"{name} {number(value, 3)}" for name, value in means.head(FIRST).items()])
    rows = pairs(volumes)
    worse = int((rows["sure"].astype(bool) & (rows["entrant"] == means.index[0])).sum())
    return f"{told} ({worse} of {len(means) - 1} clearly behind the first)" if worse else told


def fallen(arena: Standing) -> Iterator[str]:
    """The entrants most of whose candidates broke a constraint."""
    rows = arena.ranked[arena.ranked["collapsed"] >= COLLAPSED]
    if not len(rows) or not arena.facts.constraints:
        return
    told = [f"{row['entrant']} ({row['collapsed']:.0%})" for row in rows.to_dict("records")]
    bounds = listed([f"{c.score} {c.words}" for c in arena.facts.constraints])
    yield f"Half or more of their candidates did not keep {bounds}: {listed(told)}."


def edge(arena: Standing) -> Iterator[str]:
    """The entrants whose candidate to take keeps to the guard by the items that chose it, and not by those shown."""
    told = [
        f"{row['entrant']} ({c.score} {score_cell(row, c.score)}, {c.sign})"
        for row in arena.ranked.to_dict("records")
        for c in arena.facts.constraints
        if beyond(row, c)
    ]
    if told:
        yield (
            "Beyond the guard by the items that are shown, and within it only by those that chose them, are the "
            f"candidates to take of {listed(told)}."
        )


def failures(arena: Standing) -> Iterator[str]:
    """The entrants whose trials failed, all of them or some, and the most frequent reason."""
    for row in arena.entrants[arena.entrants["failed"] > 0].to_dict("records"):
        every = row["failed"] == row["trials"]
        which = f"every one of its {row['trials']}" if every else f"{row['failed']} of its {row['trials']}"
        yield f"{row['entrant']}: {which} trials failed, most often so: {row['reason']}."


def union(arena: Standing) -> Iterator[str]:
    """What the fronts of all cover together, beside the best alone and the first in the list of methods."""
    if not np.isfinite(arena.together) or len(arena.ranked) < 2:
        return
    known = arena.ranked.set_index("entrant")["hypervolume"]
    best = str(known.index[0])
    told = [f"{times(arena.together, known[best])} of {best} alone ({number(known[best], 3)})"]
    told += [
        f"{times(arena.together, known[name])} of {name}, the first that lethe methods lists ({number(known[name], 3)})"
        for name in arena.planned[:1]
        if name in known.index and name != best
    ]
    yield (
        f"The fronts of all {len(known)} together, which spent {len(known)} budgets, cover "
        f"{number(arena.together, 3)}, {listed(told)}."
    )


def times(whole: float, part: float) -> str:
    """How many times as much."""
    return f"{whole / part:.1f} times that" if part >= NEXT_TO_NOTHING else "beside the next to nothing"


def candidate(row: Mapping[Any, Any] | pd.Series, facts: Facts) -> str:
    """A recommended candidate: where it is, and its scores beside the target's and the retrained model's."""
    told = []
    for objective in facts.objectives:
        said = [f"best {WISHES[objective.goal]}"]
        said += [
            f"{name} {number(known[objective.score][0])}"
            for name, known in facts.references.items()
            if objective.score in known
        ]
        told.append(f"{objective.score} {score_cell(row, objective.score)} ({', '.join(said)})")
    told += [
        f"{c.score} {score_cell(row, c.score)} ({'beyond ' if beyond(row, c) else ''}{c.sign})"
        for c in facts.constraints
    ]
    return f"seed {int(row['seed'])}, trial {int(row['trial'])}, {Place.of(row).words}: {', '.join(told)}"


def beyond(row: Mapping[Any, Any] | pd.Series, constraint: Constraint) -> bool:
    """Whether a row's score, rounded as it is shown, breaks a constraint; not where it is not known."""
    value = round(float(row.get(constraint.score, np.nan)), 1)
    return value < round(constraint.low, 1) or value > round(constraint.high, 1)


def score_cell(row: Mapping[Any, Any] | pd.Series, score: str) -> str:
    """A score of a row with its interval."""
    return with_interval(*(row.get(f"{score}{end}", np.nan) for end in ("", "_low", "_high")))


def volume_cell(row: Mapping[Any, Any] | pd.Series) -> str:
    """An entrant's hypervolume with its interval over seeds."""
    return with_interval(row["hypervolume"], row["low"], row["high"], digits=3)


def cost_cell(cost: float) -> str:
    """A budget in words."""
    return f"{cost:,.0f} forward passes of a sequence"


def counted(number_of: int, what: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{number_of} {what}{'' if number_of == 1 else 's'}"


def _others(arena: Standing, best: str, *, sure: bool) -> list[str]:
    rows = arena.comparisons[(arena.comparisons["entrant"] == best) & (arena.comparisons["sure"].astype(bool) == sure)]
    return [str(name) for name in rows["other"]]
