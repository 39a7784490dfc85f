"""What a stress brings back of what seemed forgotten, beside the target and the retrained model under the same stress.

    position   (U - R) / (T - R)              1: knows what the target knows; 0: as if never read; below: unlearned more
    residual   the same under the stress
    recovered  (U' - U) / (T - U)             as published; not held to [0, 1]
    net        (U' - U) - (R' - R)            in points: what the stress gives it, and not one that never knew
    above      U' - R'                       in points: what it has under the stress beyond one that never knew

U is a candidate's score, T the target's, R the retrained model's, U', T' and R' theirs under the stress. A stress may
teach, and a long context may tell: only net leaves out what it gives a model that never knew. It is defined where the
ratios are not. A model that lost more than it was to lose, style and all, regains some of that by any training: then
net is high, and above is not. Both are Lethe's own. All are of the same items, so their intervals are paired: the items
are weighed at random (the Bayesian bootstrap), with the same weights for all models and both conditions. Pure functions
over arrays.
"""

from dataclasses import dataclass

import numpy as np

from lethe.analysis.cells import listed
from lethe.analysis.effects import ALPHA

DRAWS = 2000
COLLAPSED = 0.8  # of the target's utility: a candidate below it has lost what could come back
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Readings:
    """A score of one model item by item, x100: before a stress and under it, [n] each, of the same items."""

    plain: Array
    stressed: Array


@dataclass(frozen=True)
class Estimated:
    """A number and its 95% interval over items."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What came back. A ratio is None where its denominator may as well be 0; without a target or a retrained model so
    are all that need one.
    """

    change: Estimated  # U' - U, in points
    net: Estimated | None
    above: Estimated | None
    position: Estimated | None
    residual: Estimated | None
    recovered: Estimated | None


def recovery(candidate: Readings, target: Readings | None, retrained: Readings | None, *, seed: int = 0) -> Recovery:
    """What a stress brought back in a candidate. ValueError for no items, or not the same ones of all models."""
    models = [model for model in (candidate, target, retrained) if model is not None]
    counts = {len(values) for model in models for values in (model.plain, model.stressed)}
    if len(counts) > 1:
        raise ValueError(
            f"the models were asked {listed([str(count) for count in sorted(counts)])} items: they must be the same"
        )
    if counts == {0}:
        raise ValueError("no item of this score counts under the stress")
    weights = _weights(counts.pop(), seed)
    gained = candidate.stressed - candidate.plain
    return Recovery(
        change=_difference(gained, weights),
        net=_difference(gained - (retrained.stressed - retrained.plain), weights) if retrained else None,
        above=_difference(candidate.stressed - retrained.stressed, weights) if retrained else None,
        position=_between(candidate.plain, retrained.plain, target.plain, weights) if target and retrained else None,
        residual=_between(candidate.stressed, retrained.stressed, target.stressed, weights)
        if target and retrained
        else None,
        recovered=_ratio(gained, target.plain - candidate.plain, weights) if target else None,
    )


def collapsed(utility: float, target: float) -> bool:
    """Whether a candidate's utility is so low that it says nothing that nothing comes back."""
    return utility < COLLAPSED * target


def _weights(items: int, seed: int) -> Array:
    """Random weights [draws, items + 1], rows sum to 1; the last are those of an item that nobody has seen."""
    return np.random.default_rng(seed).dirichlet(np.ones(items + 1), size=DRAWS)


def _difference(values: Array, weights: Array) -> Estimated:
    """The mean of differences [n], in points; the unseen item's may be 100 to either side."""
    drawn = weights[:, :-1] @ values
    return _estimated(float(values.mean()), drawn - 100 * weights[:, -1], drawn + 100 * weights[:, -1])


def _between(value: Array, zero: Array, one: Array, weights: Array) -> Estimated | None:
    return _ratio(value - zero, one - zero, weights)


def _ratio(above: Array, below: Array, weights: Array) -> Estimated | None:
    """The ratio of two means of the same items; None where the lower one is within two standard errors of 0."""
    seen = weights[:, :-1] / weights[:, :-1].sum(axis=1, keepdims=True)
    drawn = seen @ below
    if abs(below.mean()) <= 2 * drawn.std():
        return None
    ratios = (seen @ above) / drawn
    return _estimated(float(above.mean() / below.mean()), ratios, ratios)


def _estimated(value: float, low: Array, high: Array) -> Estimated:
    tail = 100 * ALPHA / 2
    ends = float(np.percentile(low, tail)), float(np.percentile(high, 100 - tail))
    return Estimated(value, min(ends[0], value), max(ends[1], value))
