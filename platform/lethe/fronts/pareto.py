"""Fronts as pure functions over arrays of losses [points, objectives], where smaller is better.

Non-dominated sorting, hypervolume and attainment are moocore's; what stands here is Lethe's use of them: feasibility,
the box in which volume is measured, and which candidate represents its trial.
"""

import moocore
import numpy as np

from lethe.fronts.objectives import WORST

Array = np.ndarray


def nondominated(losses: Array) -> Array:
    """Return a mask [points] of the points that no other point beats in one objective and matches in the rest.

    Of points with equal losses all are kept.
    """
    if len(losses) == 0:
        return np.zeros(0, dtype=bool)
    return np.asarray(moocore.is_nondominated(losses, keep_weakly=True), dtype=bool)


def front(losses: Array, feasible: Array) -> Array:
    """Return a mask [points] of the non-dominated points among the feasible ones."""
    mask = np.zeros(len(losses), dtype=bool)
    mask[feasible] = nondominated(losses[feasible])
    return mask


def ranks(losses: Array, violation: Array) -> Array:
    """Return the rank [points] of each: 0 on the front, 1 on what is the front without that one, and so on.

    Points that break a constraint rank behind all others, by their violation [points], which is above 0.
    """
    feasible = violation <= 0
    found = np.zeros(len(losses), dtype=int)
    if feasible.any():
        found[feasible] = moocore.pareto_rank(losses[feasible])
    behind = found[feasible].max() + 1 if feasible.any() else 0
    found[~feasible] = behind + np.unique(violation[~feasible], return_inverse=True)[1]
    return found


def contributions(losses: Array) -> Array:
    """Return what each point [points] adds to the hypervolume of those that no other dominates.

    One that is dominated, or there twice, adds nothing.
    """
    added = np.zeros(len(losses))
    inside = (losses < WORST).all(axis=1)
    if inside.any():
        held = np.maximum(losses[inside], 0.0)
        if held.shape[1] == 1:  # moocore takes two objectives at least; one that is best for all changes no share
            held = np.pad(held, ((0, 0), (0, 1)))
        added[inside] = moocore.hv_contributions(held, ref=WORST) / WORST ** held.shape[1]
    return added


def hypervolume(losses: Array) -> float:
    """Return the share of the box from 0 (best) to 100 (worst) in every objective that the points dominate, in [0, 1].

    Points outside the box (a two-sided score beyond 100) add nothing.
    """
    inside = losses[(losses < WORST).all(axis=1)] if len(losses) else losses
    if len(inside) == 0:
        return 0.0
    return float(moocore.hypervolume(np.maximum(inside, 0.0), ref=WORST)) / WORST ** losses.shape[1]


def attainment(losses: Array, sets: Array, share: float) -> Array:
    """Return the surface [points, 2], by the first objective, that at least a share of sets of points attain.

    A set attains what a point of it dominates or is. `losses` are [points, 2], `sets` [points] says whose each is; a
    share of 0 is what any set attains, of 1 what all do (Grunert da Fonseca and others, 2001).
    """
    together = np.argsort(sets, kind="stable")  # moocore takes a set for ended where another one begins
    found = moocore.eaf(np.asarray(losses, float)[together], sets[together], percentiles=[100 * share])[:, :2]
    return found[np.argsort(found[:, 0], kind="stable")]


def representative(losses: Array, violation: Array) -> int:
    """Return the index of the point that represents a trial's trajectory.

    The feasible point whose worst loss is smallest (Chebyshev distance to the ideal, ties by the sum); where none is
    feasible, the one that violates least. `violation` [points] is the largest constraint violation of each point.
    """
    feasible = violation <= 0
    if not feasible.any():
        return int(np.argmin(violation))
    order = np.lexsort((losses.sum(axis=1), losses.max(axis=1)))
    return int(next(i for i in order if feasible[i]))
