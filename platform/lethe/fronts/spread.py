"""A few points that stand for many: each is the furthest from those before it. Pure functions over arrays."""

import numpy as np

Array = np.ndarray


def spread(losses: Array, count: int) -> list[int]:
    """Up to `count` rows of losses [points, objectives], the first one first: each the furthest from the nearest taken.

    Distances are Euclidean, over losses divided by their ranges (Gonzalez 1985, doi 10.1016/0304-3975(85)90224-5: at
    most twice as far from some point as the best choice). A point that is there twice is taken once.
    """
    if len(losses) == 0:
        return []
    spans = np.ptp(losses, axis=0)
    scaled = losses / np.where(spans > 0, spans, 1.0)
    taken = [0]
    nearest = np.linalg.norm(scaled - scaled[0], axis=1)  # [points]: of each to the nearest taken
    while len(taken) < count and nearest.max() > 0:
        taken.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(scaled - scaled[taken[-1]], axis=1))
    return taken
