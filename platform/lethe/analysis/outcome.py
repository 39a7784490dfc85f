"""What came of a search, in words: what went of what was to go, and what that cost of what was to stay. Pure.

Which is which the reference models say. Where the target and the retrained model differ in an objective, by MOVED or
more, something has to go: a candidate has gone half the way whose loss is nearer to the retrained model's, and all the
way whose 95% interval reaches it. Where they do not differ, something has to stay.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lethe.analysis.cells import number
from lethe.fronts.objectives import Objective
from lethe.store.facts import Facts

MOVED = 10.0  # of the loss: by so much the target is worse than the retrained model where something has to go


def outcome(candidates: pd.DataFrame, facts: Facts) -> list[str]:
    """A sentence for each objective in which something has to go, and one for all; none without a retrained model.

    Counted are the complete candidates that meet the constraints.
    """
    goes, stays = going_and_staying(facts)
    if not goes or not len(candidates):
        return []
    able = candidates[candidates["feasible"].to_numpy(bool) & (candidates["state"] == "COMPLETE").to_numpy(bool)]
    lines = [_way_of(able, objective, stays, facts) for objective in goes] if len(able) else []
    return [*lines, _all_at_once(able, [*goes, *stays], facts)]


def going_and_staying(facts: Facts) -> tuple[list[Objective], list[Objective]]:
    """The objectives in which something has to go, and those in which it has to stay, by the reference models."""
    known = [o for o in facts.objectives if all(o.score in facts.references.get(name, {}) for name in REFERENCES)]
    goes = [o for o in known if _loss_of(facts, "target", o) - _loss_of(facts, "retrained", o) >= MOVED]
    return goes, [o for o in known if o not in goes]


REFERENCES = ("target", "retrained")


def reaches(candidates: pd.DataFrame, objective: Objective, facts: Facts) -> np.ndarray:
    """A mask [candidates] of those whose 95% interval reaches the retrained model's value, or better."""
    value, low, high = (candidates[f"{objective.score}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    return objective.best_loss(value, low, high) <= _loss_of(facts, "retrained", objective)


def _way_of(able: pd.DataFrame, objective: Objective, stays: Sequence[Objective], facts: Facts) -> str:
    """How many went half the way and all of it in an objective, and what the best of the first kept of the rest."""
    before, after = (facts.references[name][objective.score][0] for name in REFERENCES)
    middle = (_loss_of(facts, "target", objective) + _loss_of(facts, "retrained", objective)) / 2
    half = able[objective.loss(able[objective.score].to_numpy(float)) <= middle]
    meaning = facts.card(objective.score).meaning or objective.score
    way = f"{meaning}: {objective.score} {number(before)} before, {number(after)} if retrained; "
    if not len(half):
        return f"{way}no candidate came half the way"
    whole = int(reaches(half, objective, facts).sum())
    kept = [f"{o.score} {number(_best(half, o))} of {number(facts.references['target'][o.score][0])}" for o in stays]
    cost = f", of which the best kept {' and '.join(kept)}" if kept else ""
    return f"{way}{_count(len(half), len(able))} came half the way or further{cost}; {whole or 'none'} all the way"


def _all_at_once(able: pd.DataFrame, objectives: Sequence[Objective], facts: Facts) -> str:
    """How many are up to the retrained model in every objective."""
    up = np.logical_and.reduce([reaches(able, o, facts) for o in objectives]) if len(able) else np.zeros(0, bool)
    if up.any():
        return (
            f"all of it at once: {_count(int(up.sum()), len(able))} came up to the retrained model in every objective"
        )
    return (
        "all of it at once: no candidate came up to the retrained model in every objective: where all of them must "
        "hold, ship none, and search on"
    )


def _count(some: int, every: int) -> str:
    return f"{some} of {every} candidates"


def _best(candidates: pd.DataFrame, objective: Objective) -> float:
    values = candidates[objective.score].to_numpy(float)
    return float(values[objective.loss(values).argmin()])


def _loss_of(facts: Facts, reference: str, objective: Objective) -> float:
    value = float(facts.references[reference][objective.score][0])
    return float(objective.loss(value)) if math.isfinite(value) else math.inf
