"""An ablation in plain words: what a part does, by how much, how sure, and where the data cannot tell. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lethe.analysis.ablation import VOLUME, Ablation
from lethe.analysis.cells import NONE, number, with_interval
from lethe.analysis.designs import BASELINE
from lethe.analysis.effects import MOST_SEEDS
from lethe.fronts.objectives import compared, compared_interval, score_name

RULE = (
    "Every run is represented by one candidate: the {role} after the run's last step, or at the end of another axis "
    "that its method has. The rule is the same for all arms and looks at no score."
)
METHOD = (
    "A difference is that of an arm to the baseline within each seed, for both ran the same seeds on the same batches. "
    "Its 95% interval allows for other seeds (Student's t over the paired differences) and for other items (all items "
    "are drawn again, for all arms and seeds together, with one more that nobody has seen: for arms that score 0 "
    "on all of a few items need not be the same). With {count} comparisons some look large by chance: a "
    "difference is called clear only where it stays so after Holm's correction over all of them (5% for the whole "
    "table). A score whose best value is 0 is compared by its distance from 0. In simulations with 2 to 5 seeds, also "
    "where nearly all items score 0, as they may after unlearning, at least 93 of 100 intervals hold the truth."
)


def mean_cell(row: Mapping[Any, Any], digits: int = 1, ends: int | None = None) -> str:
    """A mean and how far its 95% interval reaches, rounded to `digits` and to `ends` of them."""
    return with_interval(row["mean"], row["low"], row["high"], digits=digits, ends=ends)


def reference_cell(values: Sequence[float] | None, goal: str) -> str:
    """A reference model's score as it is compared, and how far its 95% interval over items reaches."""
    return with_interval(*compared_interval(goal, values)) if values else NONE


def sentence(row: Mapping[Any, Any], seeds: int) -> str:
    """One difference in words: how large, which way is better, how sure, or how many seeds would tell.

    `row` is one of `Ablation.effects` or `Ablation.factors`.
    """
    digits = 3 if row["score"] == VOLUME else 1
    name = score_name(row["score"], row["goal"])
    if not np.isfinite(row["value"]):
        return f"{name}: not known, for no seed has both runs"
    if row["value"] == row["sd"] == 0:
        more = f"; on other items a difference of up to {number(row['high'], digits)} is not ruled out"
        return f"{name}: the very same in every seed" + (more if np.isfinite(row["high"]) else "")
    if not np.isfinite(row["low"]):
        where = "one seed" if row["n"] == 1 else f"every one of {int(row['n'])} seeds"
        return f"{name}: {number(row['value'], digits)} in {where}, which says nothing of how sure that is"
    size = f"{number(abs(row['value']), digits)} {'higher' if row['value'] > 0 else 'lower'}"
    span = f"95% interval {number(row['low'], digits)} to {number(row['high'], digits)}"
    if row["sure"]:
        return f"{name}: {size}, {'better' if row['better'] else 'worse'} ({span}): clear"
    return f"{name}: {size} ({span}): {unsure(row, seeds)}"


def unsure(row: Mapping[Any, Any], seeds: int) -> str:
    """Why a difference is not clear, and what would make it so."""
    digits = 3 if row["score"] == VOLUME else 1
    needed = row["needed"]
    cannot = f"{int(row['n']) or seeds} seeds can't separate these"
    if row["low"] > 0 or row["high"] < 0:
        cannot = f"its own interval leaves 0 out, but among so many comparisons {cannot}"
    if np.isfinite(needed) and needed > row["n"]:
        return f"{cannot}; about {int(needed)} would, if the difference is as large as it looks"
    if np.isfinite(needed):
        return f"{cannot} for certain; a few more would, if the difference is as large as it looks"
    largest = number(max(abs(row["low"]), abs(row["high"])), digits)
    return f"{cannot}, nor would {MOST_SEEDS} on these items; a difference of up to {largest} is not ruled out"


def summary(found: Ablation) -> list[str]:
    """The whole ablation in a few lines, the parts that matter most first."""
    table = found.effects()
    if not len(table):
        return ["There is nothing to compare yet."]
    sure = table[table["sure"]]
    order = sure.groupby("effect")["value"].agg(lambda v: v.abs().max()).sort_values(ascending=False)
    rest = [arm.name for arm in found.design if arm.name not in order.index and arm.name != BASELINE]
    known = [arm for arm in rest if table.loc[table["effect"] == arm, "p"].notna().any()]
    count = len(order) + len(known)
    lines = [standing(found), f"Clear in at least one score: {len(order)} of the {count} changes to the baseline."]
    lines += [arm_line(found, str(arm), table[table["effect"] == arm]) for arm in order.index]
    lines += [f"{named(found, arm)}: no clear difference to the baseline in any score." for arm in known]
    lines += [f"{named(found, arm)}: not known, {reason(found, arm)}." for arm in rest if arm not in known]
    return lines + missing(found)


def standing(found: Ablation) -> str:
    """What the baseline scores, and beside it the target and the retrained model: what a difference is seen against."""
    texts = []
    for score, goal in found.goals.items():
        own = found.measured(score).values.loc[BASELINE].mean()
        known = {name: row[score][0] for name, row in found.facts.references.items() if score in row}
        beside = ", ".join(f"{name} {number(compared(goal, value))}" for name, value in known.items())
        texts.append(f"{score_name(score, goal)} {number(own)}" + (f" ({beside})" if beside else ""))
    return f"The baseline scores {', '.join(texts)}."


def missing(found: Ablation) -> list[str]:
    """How many runs gave no score, in a line for those that failed and one for those that are still to come."""
    failed, waiting = (int((found.runs["state"] == state).sum()) for state in ("FAIL", "WAITING"))
    lines = [f"{failed} of {len(found.runs)} runs failed and gave no score: see the gaps."] if failed else []
    return lines + ([f"{waiting} of {len(found.runs)} runs have not ended yet."] if waiting else [])


def named(found: Ablation, arm: str) -> str:
    """An arm, and in words what it changes, where that is known."""
    meanings = found.facts.about.get("meanings", {})
    words = [meanings.get(f"{switch}={level}") for switch, level in found.design[arm].levels.items()]
    return f"{arm} ({'; '.join(filter(None, words))})" if any(words) else arm


def arm_line(found: Ablation, arm: str, rows: pd.DataFrame) -> str:
    """What one arm does to the scores where that is clear, and whether its models are still of use."""
    parts = [
        f"{score_name(row['score'], row['goal'])} {number(abs(row['value']))} "
        f"{'higher' if row['value'] > 0 else 'lower'} ({'better' if row['better'] else 'worse'})"
        for row in rows[rows["sure"]].to_dict("records")
    ]
    rest = [score_name(row["score"], row["goal"]) for row in rows[~rows["sure"]].to_dict("records")]
    line = f"{named(found, arm)}: clearly " + ", ".join(parts) + (f"; not clear: {', '.join(rest)}" if rest else "")
    return line + "." + "".join(fallen(found, arm))


def fallen(found: Ablation, arm: str) -> list[str]:
    """A sentence for each constraint that an arm's mean breaks: what else it gains is no gain."""
    means = {c: found.measured(c.score).values.loc[arm].mean() for c in found.facts.constraints}
    return [
        f" Its mean {c.score} of {number(mean)} is {side} of {number(bound)}, which rules it out."
        for c, mean in means.items()
        for side, bound in (("below the floor", c.floor), ("above the ceiling", c.ceiling))
        if bound is not None and (mean < bound if bound == c.low else mean > bound)
    ]


def reason(found: Ablation, arm: str) -> str:
    """Why an arm has no effect to show."""
    runs = found.runs[found.runs["arm"] == arm]
    failed = runs[runs["state"] == "FAIL"]
    if len(runs) and len(failed) == len(runs):
        return f"every one of its {len(runs)} runs failed ({failed['failure'].iloc[0]})"
    return "too few of its runs have ended"
