"""What came of a search, in words: what went of what was to go, and what that cost of what was to stay. Pure.

Which is which the reference models say. Where the target and the retrained model differ in an objective, by MOVED or
more, something has to go: a candidate has gone half the way whose loss is nearer to the retrained model's, and all the
way whose difference to it has a 95% interval that reaches 0. Where they do not differ, something has to stay.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lethe.analysis.cells import number
from lethe.analysis.decide import accepted
from lethe.fronts.objectives import ENDS, Objective, chosen_by
from lethe.store.facts import Facts

MOVED = 10.0  # of the loss: by so much the target is worse than the retrained model where something has to go


def outcome(candidates: pd.DataFrame, facts: Facts) -> list[str]:
    """A sentence for each objective in which something has to go, and one for all; none without a retrained model.

    Counted are the complete candidates that meet the constraints.
    """
    goes, stays = going_and_staying(facts)
    if not goes or not len(candidates):
        return []
    able = candidates[accepted(candidates, ())]
    lines = [_way_of(able, objective, stays, facts) for objective in goes] if len(able) else []
    return [*lines, *_all_at_once(able, goes, stays, facts)]


def going_and_staying(facts: Facts) -> tuple[list[Objective], list[Objective]]:
    """The objectives in which something has to go, and those in which it has to stay, by the reference models."""
    known = [o for o in facts.objectives if all(o.score in facts.references.get(name, {}) for name in REFERENCES)]
    goes = [o for o in known if _loss_of(facts, "target", o) - _loss_of(facts, "retrained", o) >= MOVED]
    return goes, [o for o in known if o not in goes]


REFERENCES = ("target", "retrained")


def reaches(candidates: pd.DataFrame, objective: Objective, facts: Facts) -> np.ndarray:
    """A mask [candidates] of those that are as good as the retrained model, or better, as far as 95% intervals tell.

    The difference of two losses has an interval from both of their own, as if they were independent: its lower end is
    the difference less the root of the squared ways from the candidate's to its best and from the retrained model's to
    its worst (Zou and Donner 2008, DOI 10.1002/sim.3095). Items are the same for both, which makes it too wide.
    """
    value, low, high = (candidates[f"{objective.score}{end}"].to_numpy(float) for end in ENDS)
    loss, goal = objective.loss(value), _loss_of(facts, "retrained", objective)
    ends = [float(objective.loss(end)) for end in facts.references["retrained"][objective.score]]
    worst = max((end for end in ends if math.isfinite(end)), default=goal)
    better = loss - objective.best_loss(value, low, high)
    return loss - np.hypot(better, worst - goal if math.isfinite(goal) else 0.0) <= goal


def _way_of(able: pd.DataFrame, objective: Objective, stays: Sequence[Objective], facts: Facts) -> str:
    """How far the best came in an objective; how many went half the way and all of it, and what they kept at most."""
    before, after = (facts.references[name][objective.score][0] for name in REFERENCES)
    middle = (_loss_of(facts, "target", objective) + _loss_of(facts, "retrained", objective)) / 2
    half = able[objective.loss(able[objective.score].to_numpy(float)) <= middle]
    whole = able[reaches(able, objective, facts)]
    meaning = facts.card(objective.score).meaning or "has to go"
    return (
        f"{meaning} ({objective.score}): {_number(before)} before, {_number(after)} if retrained, "
        f"{_number(_best(able, objective))} at best; half the way or further: {_kept(half, able, stays, facts)}; "
        f"all the way, as far as intervals tell: {_kept(whole, able, stays, facts)}"
    )


def _kept(some: pd.DataFrame, every: pd.DataFrame, stays: Sequence[Objective], facts: Facts) -> str:
    """How many candidates these are, and the most that one of them kept of each objective that has to stay."""
    if not len(some):
        return "none"
    target = facts.references["target"]
    kept = [f"{o.score} {_number(_best(some, o))} of {_number(target[o.score][0])}" for o in stays]
    return f"{len(some)} of {len(every)}" + (f", with {' and '.join(kept)} at best" if kept else "")


def _all_at_once(
    able: pd.DataFrame, goes: Sequence[Objective], stays: Sequence[Objective], facts: Facts
) -> Iterator[str]:
    """How many are up to the retrained model in every objective; what it means where none is."""
    up = np.logical_and.reduce([reaches(able, o, facts) for o in (*goes, *stays)]) if len(able) else np.zeros(0, bool)
    if up.any():
        yield f"all of this at once: {int(up.sum())} of {len(able)} candidates are up to the retrained model"
        return
    yield "all of this at once: none is up to the retrained model. Where all of it must hold, ship none"
    if stays:
        retrained = facts.references["retrained"]
        kept = " and ".join(f"{o.score} {_number(retrained[o.score][0])}" for o in stays)
        yield f"the retrained model has all of it, with {kept}: what else is lost, the method costs, not the request"


def _number(value: float) -> str:
    return number(value).replace("−", "-")  # a terminal's numbers can be copied


def _best(candidates: pd.DataFrame, objective: Objective) -> float:
    """What is reported of the candidate that is the best in an objective by the items that choose."""
    chosen = objective.loss(chosen_by(candidates, objective.score)).argmin()
    return float(candidates[objective.score].iloc[chosen])


def _loss_of(facts: Facts, reference: str, objective: Objective) -> float:
    value = float(facts.references[reference][objective.score][0])
    return float(objective.loss(value)) if math.isfinite(value) else math.inf
