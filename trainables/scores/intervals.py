"""95% intervals over the items of a score that also hold where a score is perfect or empty. No torch here.

The items at hand are given random weights (the Bayesian bootstrap, Rubin 1981), and with them one more item is weighed
that nobody has seen: it is as bad as can be for the lower end of the interval, and as good as can be for the upper end.
So 20 items that are all 0 say "below 16.8", not "0 for certain". For items in a known range this is Gaffke's interval
(2005); of shares, whose items are all 0 or 100, it is Clopper and Pearson's (1934), which needs no draws.
`python -m measurements.coverage` shows how often it holds.
"""

import functools

import numpy as np
from scipy.special import betaincinv

CONFIDENCE = 0.95
TAIL = 100 * (1 - CONFIDENCE) / 2  # per cent at each end
DRAWS = 2000
WORST, BEST = 0.0, 100.0  # the range of every score that is a mean of items


def mean_interval(values: np.ndarray, *, seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """The interval of the mean of `values` [n], which lie in [0, 100], whatever their distribution.

    Source: Gaffke 2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative
    variable"; its coverage is a conjecture without a known exception. ValueError without items or beyond [0, 100].
    """
    values = np.asarray(values, dtype=float)
    if values.size == 0:
        raise ValueError("an interval needs at least one item, got none")
    if not (values.min() >= WORST - 1e-6 and values.max() <= BEST + 1e-6):
        raise ValueError(f"items of a score lie in [0, 100], got {values.min():g} to {values.max():g}")
    if np.isin(values, (WORST, BEST)).all():
        return share_interval(int((values == BEST).sum()), len(values))
    (weights,) = item_weights((len(values),), seed, draws)
    worst = weights[:, :-1] @ values
    return ends(worst, worst + BEST * weights[:, -1], float(values.mean()), within=(WORST, BEST))


def share_interval(right: int, n: int) -> tuple[float, float]:
    """The interval x100 of a share, `right` of `n`: Clopper and Pearson's, which draws come near but for chance."""
    tail = TAIL / 100
    low = BEST * float(betaincinv(right, n - right + 1, tail)) if right else WORST
    return low, BEST * float(betaincinv(right + 1, n - right, 1 - tail)) if right < n else BEST


def ends(worst: np.ndarray, best: np.ndarray, value: float, *, within: tuple[float, float]) -> tuple[float, float]:
    """The interval from draws [R] with the unseen item at its worst and at its best, `value` in it, in a range."""
    low = min(max(float(np.percentile(worst, TAIL)), within[0]), value)
    return low, max(min(float(np.percentile(best, 100 - TAIL)), within[1]), value)


@functools.lru_cache(maxsize=16)  # the same for every candidate of a benchmark
def item_weights(sizes: tuple[int, ...], seed: int, draws: int = DRAWS) -> tuple[np.ndarray, ...]:
    """Random weights of the items of one or more samples, a table [draws, n + 1] for each; rows sum to 1.

    The last column is the unseen item's. With several samples one unseen item is shared out among them: it weighs
    1 / samples of a seen one in each. The tables are read-only.
    """
    rng = np.random.default_rng(seed)
    tables = []
    for n in sizes:
        masses = np.append(np.ones(n), 1 / len(sizes))
        table = rng.dirichlet(masses, size=draws)
        table.flags.writeable = False
        tables.append(table)
    return tuple(tables)
