"""How large an effect is and how sure that is: estimates from few seeds and many items. Pure functions over arrays.

An effect is a contrast of arms, computed within each seed (arms share seeds and batches), so what a seed does to all
arms alike falls out. Its interval allows for both reasons why another experiment would give another number:

- other seeds: the spread of the contrast between seeds, with Student's t: a bootstrap over five seeds is too sure;
- other items: the same items are scored in every run, so they are drawn again (bootstrap) for all arms and seeds
  together; what such a draw does to all seeds alike, the covariance between seeds, is the items' part.

Both variances add up; the degrees of freedom are Satterthwaite's. Neither is ever taken for nothing:

- Few seeds may agree by chance. What the draw of items does to each seed on its own has a part in their spread, so the
  spread is at least that.
- Items that are all right, or all wrong, never vary when they are drawn again. So every redraw has one more item that
  nobody has seen, at either end of the range by a coin of each arm: much as Agresti and Min (2005) add pairs.
- Where neither is known, seeds that all gave the same difference say nothing of how sure it is: it has no interval.

Tests hold, on simulated data with known effects, also of few seeds whose items are nearly all 0, that intervals cover
93% or more and that corrected tests give no more than about 5% false alarms in a family.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
POWER = 0.8
RESAMPLES = 1000
LEAST_REDRAWS = 100  # below it the items are taken for not known
MOST_SEEDS = 200  # no more are proposed
Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number, its 95% interval and the two-sided p of its being 0; NaN where there are too few seeds for them."""

    value: float
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    n: int = 0  # seeds
    sd: float = np.nan  # between seeds
    item_variance: float = 0.0  # of the value, from the draw of items


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One score of every run: `values` [arms, seeds] with NaN where a run has none, and its redraws over items.

    `redrawn` is arm -> [redraws, seeds], NaN where a redraw says nothing, or None where the score's items are not
    known; `items` is their number.
    """

    values: pd.DataFrame
    redrawn: Mapping[str, Array] | None = None
    items: int = 0


def estimate(values: Array, redrawn: Array | None = None, items: int = 0) -> Estimate:
    """The mean of `values` [seeds] with its interval; `redrawn` [redraws, seeds] are the same over redrawn items.

    ValueError without a seed. One seed gives no interval; nor do equal seeds whose items are not known.
    """
    n = len(values)
    if n == 0:
        raise ValueError("an estimate needs at least one seed")
    mean = float(np.mean(values))
    if n == 1:
        return Estimate(value=mean, n=1)
    shared, own = item_variances(redrawn) if redrawn is not None else (0.0, 0.0)
    between = max(float(np.var(values, ddof=1)), own) / n
    variance = between + shared
    known = {"value": mean, "n": n, "sd": float(np.sqrt(between * n)), "item_variance": shared}
    if variance == 0:
        return Estimate(p=1.0 if mean == 0 else np.nan, **known)  # type: ignore[arg-type]
    freedom = variance**2 / (between**2 / (n - 1) + shared**2 / max(items - 1, 1))
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, freedom) * np.sqrt(variance)
    p = 2 * stats.t.sf(abs(mean) / np.sqrt(variance), freedom)
    return Estimate(low=mean - half, high=mean + half, p=float(p), **known)  # type: ignore[arg-type]


def item_variances(redrawn: Array) -> tuple[float, float]:
    """The variance of the mean over seeds that comes from the items, and what they add to a single seed's on its own.

    The first is the mean covariance of two seeds' redraws. The second is the rest of a seed's variance: it is in the
    spread between seeds already, and not counted twice.
    """
    covariance = np.cov(redrawn, rowvar=False)
    n = len(covariance)
    shared = max(0.0, float((covariance.sum() - np.trace(covariance)) / (n * (n - 1))))
    rest = float(np.trace(covariance)) / n - shared
    return shared, rest if rest > 1e-9 * shared else 0.0  # less is rounding


def contrast(measured: Measured, weights: Mapping[str, float]) -> Estimate | None:
    """The estimate of a weighted sum of arms, over the seeds in which all of them ended; None where there is none."""
    arms = [arm for arm, weight in weights.items() if weight]
    if not set(arms) <= set(measured.values.index):
        return None
    rows = measured.values.loc[arms]
    ended = rows.notna().all(axis=0).to_numpy(bool)
    if not ended.any():
        return None
    factors = np.array([weights[arm] for arm in arms])
    redrawn = None
    if measured.redrawn is not None and set(arms) <= set(measured.redrawn):
        drawn = np.stack([measured.redrawn[arm][:, ended] for arm in arms])  # [arms, redraws, seeds]
        drawn = drawn[:, np.isfinite(drawn).all(axis=(0, 2))]
        redrawn = np.tensordot(factors, drawn, axes=1) if drawn.shape[1] >= LEAST_REDRAWS else None
    return estimate(factors @ rows.to_numpy(float)[:, ended], redrawn, measured.items)


def corrected(p: Array) -> Array:
    """p values corrected for being many, by Holm's method; those that are NaN stay so and count for nothing."""
    out = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        out[known] = multipletests(np.asarray(p)[known], alpha=ALPHA, method="holm")[1]
    return out


def seeds_needed(found: Estimate, comparisons: int) -> int | None:
    """How many seeds would tell an effect of the size found from none, 4 times in 5, among `comparisons` comparisons.

    None where not even `MOST_SEEDS` would: the effect is too small, or the items are too few for it.
    """
    if not np.isfinite(found.sd):
        return None
    counts = np.arange(2, MOST_SEEDS + 1)
    error = np.sqrt(found.sd**2 / counts + found.item_variance)
    if (error == 0).any():
        return None  # the seeds are all the same, and nothing is known of the items
    enough = power(abs(found.value) / error, counts - 1, ALPHA / max(comparisons, 1)) >= POWER
    return int(counts[enough][0]) if enough.any() else None


def power(ratio: Array, freedom: Array, alpha: float) -> Array:
    """How often a two-sided t test at level `alpha` finds an effect that is `ratio` standard errors large."""
    bound = stats.t.ppf(1 - alpha / 2, freedom)
    wrong_side = np.nan_to_num(stats.nct.cdf(-bound, freedom, ratio))  # scipy has NaN where next to nothing is left
    return stats.nct.sf(bound, freedom, ratio) + wrong_side


def redraw_counts(items: int, *, seed: int, redraws: int = RESAMPLES) -> Array:
    """How often each item is taken in each redraw: [redraws, items], rows sum to `items`."""
    return np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), size=redraws).astype(float)


def redraw_mean(values: Array, counts: Array) -> Array:
    """The mean of `values` [items] in each redraw: [redraws]."""
    return counts @ values / len(values)


def with_unseen(draws: Array, coin: Array, *sizes: int) -> Array:
    """Redraws [redraws] of a mean or an AUC, moved as one more item that nobody has seen may move them.

    It counts as one of the items, and lies half the range from its middle, to the side of `coin`; where samples of
    several `sizes` are compared, it is shared out among them.
    """
    return draws + float(np.mean([1 / (n + 1) for n in sizes])) * coin


def redraw_coin(seed: int, *, redraws: int = RESAMPLES) -> Array:
    """Half the range of a score of 0 to 1, up or down, for each redraw, each as often."""
    return np.random.default_rng(seed).permutation(np.arange(redraws) % 2) - 0.5


def redraw_auc(forget: Array, holdout: Array, counts: tuple[Array, Array]) -> Array:
    """The AUC of scores [f] above scores [h], ties one half, in each redraw of both: [redraws]."""
    wins = (np.sign(forget[:, None] - holdout[None, :]) + 1) / 2
    return ((counts[0] @ wins) * counts[1]).sum(axis=1) / wins.size
