"""Items whose mean is a number that is no mean, and the interval of it. Pure.

The items are the jackknife's, shifted so that their mean is the number itself: their spread is what the texts add to
its uncertainty. So differences and ratios of two models are of the same texts, as those of plain scores are.
"""

from collections.abc import Callable

import numpy as np

DRAWS = 1000
TAIL = 2.5  # per cent at each end
Array = np.ndarray


def items_of(statistic: Callable[[Array], float], n: int) -> Array:
    """Values [n] whose mean is the statistic of all of n items; it takes a mask [n] of those that are read."""
    every = np.ones(n, dtype=bool)
    left_out = np.array([statistic(np.arange(n) != i) for i in range(n)])
    return statistic(every) + (n - 1) * (left_out.mean() - left_out)


def auc_items(first: Array, second: Array) -> Array:
    """Values [m + n], those of the first [m] before the second's [n], whose mean is 100 * P(first > second).

    Ties count one half. By DeLong et al. 1988 their spread over items is that of the AUC.
    """
    wins = (first[:, None] > second) + 0.5 * (first[:, None] == second)
    whole, n = wins.mean(), len(first) + len(second)
    parts = [n / len(own) * (wins.mean(axis=axis) - whole) for axis, own in ((1, first), (0, second))]
    return 100 * (whole + np.concatenate(parts))


def interval_of(values: Array, seed: int = 0) -> tuple[float, float]:
    """The 95% interval of the mean of values [n], which may be anything: the Bayesian bootstrap (Rubin 1981)."""
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(values)), size=DRAWS)
    low, high = np.percentile(weights @ values, [TAIL, 100 - TAIL])
    mean = float(values.mean())
    return min(float(low), mean), max(float(high), mean)
