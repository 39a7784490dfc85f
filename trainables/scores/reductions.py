"""How the items of a score become its value and its 95% interval: by their mean, or beside a retrained model's.

    difference = mean of (item - the retrained model's)
    ratio = (AUC - AUC_retrained) / AUC_retrained * 100
    distance = max over x of |share of items <= x - share of the retrained model's items <= x| * 100
    net = max(0, mean of items - mean of the retrained model's items)

or, of several samples of them, as the harmonic mean of their means, or the largest.

AUC is that of the first sample (label 0) against the second (label 1) on the NEGATED values, where a value grows as the
model finds an item less likely. `lethe.analysis.redraws` draws items anew for means, differences and ratios.
No torch here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables.scores.intervals import BEST, DRAWS, WORST, ends, item_weights, mean_interval

MEAN, RATIO = "mean of items", "ratio of AUCs"  # the kinds, as cards have them and studies store them
KS_D, KS_P = "distance of distributions", "p of a distance of distributions"  # of Kolmogorov and Smirnov
DIFFERENCE = "mean of differences"  # of the items of a score from the retrained model's
RATIO_BESIDE = "ratio of AUCs beside the retrained model"  # of items less the retrained model's
NET = "net of the retrained model"  # of what each item gains
RELATIVE = (DIFFERENCE, RATIO, RATIO_BESIDE, KS_D, KS_P, NET)  # read against the items of a retrained model
HARMONIC, LARGEST = "harmonic mean of means", "largest of means"  # of the items of each sample
KINDS = (MEAN, HARMONIC, LARGEST, *RELATIVE)
WHOLE = ""  # the one sample of a score whose items are not told apart
Samples = Mapping[str, np.ndarray]  # sample -> a value an item


class Undefined(ValueError):
    """A reference by which nothing can be divided."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A score x100, its 95% interval over items, and their number."""

    value: float
    low: float
    high: float
    n: int


def reduce(kind: str, samples: Samples, reference: Samples | None, *, seed: int = 0) -> Reading:
    """The value of a score's items by a kind of reduction; `reference` are those of the retrained model.

    Of items of which one is no number, as a model gives them that diverged, the value is none either.
    """
    n = sum(map(len, samples.values()))
    if kind == MEAN:
        (values,) = samples.values()
        if np.isnan(values).any():
            return Reading(value=math.nan, low=math.nan, high=math.nan, n=n)
        low, high = mean_interval(values, seed=seed)
        return Reading(value=float(values.mean()), low=low, high=high, n=n)
    if kind in (HARMONIC, LARGEST):
        value, low, high = (harmonic_mean if kind == HARMONIC else largest_mean)(samples, seed=seed)
        return Reading(value=value, low=low, high=high, n=n)
    beside = {DIFFERENCE: mean_of_differences, RATIO: ratio_of_aucs, RATIO_BESIDE: ratio_beside}
    read = (beside | {KS_D: distance, KS_P: likeness, NET: net})[kind]
    value, low, high = read(samples, reference, seed=seed)
    return Reading(value=value, low=low, high=high, n=n)


def mean_of_differences(samples: Samples, reference: Samples | None, *, seed: int = 0) -> tuple[float, float, float]:
    """How far a model's items lie above the retrained model's on average, and the interval (value, low, high).

    Items are paired, so what both models find hard cancels out; the unseen item's difference is -100 or 100. Of the
    reference's very values it is 0 without width. ValueError without a reference and for one of other items.
    """
    own, known = _alike(samples, reference)
    differences = own - known
    if not np.isfinite(differences).all():
        return math.nan, math.nan, math.nan
    if not differences.any():
        return 0.0, 0.0, 0.0
    low, high = mean_interval((differences + BEST) / 2, seed=seed)  # which lie in [0, 100], as that interval wants
    return float(differences.mean()), 2 * low - BEST, 2 * high - BEST


def auc(first: np.ndarray, second: np.ndarray) -> float:
    """P(second value < first value), ties one half: roc_auc_score on minus the values; label 1: the second sample."""
    return float(_wins(first, second).mean())


def ratio_of_aucs(
    samples: Samples, reference: Samples | None, *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float, float]:
    """The ratio x100 and its 95% interval (value, low, high), from the values of two samples of a model's items.

    The items of each sample are weighed at random, each on their own, by the same weights for the model as for
    the retrained reference. The unseen item, shared out between the samples, loses or wins against all for the model,
    and is like the others for the reference. A model with the reference's very values is the reference: 0 without
    width. ValueError without a reference and for one of other items; Undefined for a reference AUC of 0.
    """
    reference = _of_these_items(samples, reference)
    wins, base = (_wins(*(known[sample] for sample in samples)) for known in (samples, reference))  # [f, s]
    if base.mean() == 0:
        raise Undefined("the retrained model's AUC is 0: a ratio divides by it and is not defined")
    value = float(_relative(wins.mean(), base.mean()))
    if all(np.array_equal(values, reference[sample]) for sample, values in samples.items()):
        return value, value, value
    first, second = item_weights(wins.shape, seed, draws)
    unseen = 1 - (1 - first[:, -1]) * (1 - second[:, -1])  # the weight of pairs with an unseen item in them
    model = _aucs(wins, first, second)
    retrained = _aucs(base, first, second) / (1 - unseen)
    best = _relative(model + unseen, retrained)
    return value, *ends(_relative(model, retrained), best, value, within=(-100.0, math.inf))


def ratio_beside(samples: Samples, reference: Samples | None, *, seed: int = 0) -> tuple[float, float, float]:
    """The ratio of AUCs of items less the retrained model's: (value, low, high).

    The retrained model's own are all 0, an AUC of 1/2. ValueError as in `ratio_of_aucs`.
    """
    known = _of_these_items(samples, reference)
    less = {sample: values - known[sample] for sample, values in samples.items()}
    return ratio_of_aucs(less, {sample: np.zeros(len(values)) for sample, values in samples.items()}, seed=seed)


def _of_these_items(samples: Samples, reference: Samples | None) -> Samples:
    """The retrained model's items, as many of each sample; ValueError where there are none, or others."""
    if reference is None:
        raise ValueError("what is read beside it needs the items of a retrained model; there is no default reference")
    for sample, values in samples.items():
        if len(values) != len(reference[sample]):
            counts = f"{len(values)} and {len(reference[sample])}"
            raise ValueError(f"model and retrained reference differ in {f'{sample} items'.strip()}: {counts}")
    return reference


def harmonic_mean(samples: Samples, *, seed: int = 0, draws: int = DRAWS) -> tuple[float, float, float]:
    """The harmonic mean of the samples' means and its interval (value, low, high); 0 where one of them is 0.

    Samples of as many items are weighed alike: three readings of the same questions rise and fall together.
    """
    return _of_means(_harmonic, samples, [seed] * len(samples), draws)


def largest_mean(samples: Samples, *, seed: int = 0, draws: int = DRAWS) -> tuple[float, float, float]:
    """The largest of the samples' means and its interval (value, low, high).

    The samples are of other items, so each is weighed on its own. Of samples whose means are near each other chance
    alone lifts the largest, and with it the low end, which is cut at the value.
    """
    return _of_means(lambda means: means.max(axis=1), samples, range(seed, seed + len(samples)), draws)


def _of_means(
    aggregate: Callable[[np.ndarray], np.ndarray], samples: Samples, seeds: Sequence[int], draws: int
) -> tuple[float, float, float]:
    """What an aggregate, [R, samples] -> [R], makes of the samples' means, and its interval; a seed for each sample."""
    means = np.array([[values.mean() for values in samples.values()]])
    if np.isnan(means).any():
        return math.nan, math.nan, math.nan
    drawn = [
        (values, item_weights((len(values),), seed, draws)[0])
        for values, seed in zip(samples.values(), seeds, strict=True)
    ]
    worst = np.array([weights[:, :-1] @ values for values, weights in drawn]).T  # [R, samples]
    best = worst + BEST * np.array([weights[:, -1] for _, weights in drawn]).T
    value = float(aggregate(means)[0])
    return value, *ends(aggregate(worst), aggregate(best), value, within=(WORST, BEST))


def _harmonic(means: np.ndarray) -> np.ndarray:
    """Of each row, [R, samples] -> [R]."""
    whole = (means > 0).all(axis=1)
    return np.where(whole, means.shape[1] / (1 / np.where(means > 0, means, 1)).sum(axis=1), 0.0)


def distance(
    samples: Samples, reference: Samples | None, *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float, float]:
    """Kolmogorov and Smirnov's D x100 of a model's items and the retrained model's: (value, low, high).

    The items are weighed at random, by the same weights for both models; an unseen one moves D by its weight at most,
    to either side. As D is a maximum, chance alone lifts it: low ends near 0 lie high, and are cut at the value. Of the
    reference's very values it is 0 without width. ValueError without a reference and for one of other items.
    """
    own, known = _alike(samples, reference)
    if not np.isfinite(own).all():
        return math.nan, math.nan, math.nan
    at = np.unique(np.concatenate([own, known]))
    above = (own[:, None] <= at).astype(float) - (known[:, None] <= at)  # [n, places]
    value = 100 * float(np.abs(above.mean(axis=0)).max())
    if np.array_equal(own, known):
        return value, value, value
    (weights,) = item_weights((len(own),), seed, draws)
    drawn, unseen = np.abs(weights[:, :-1] @ above).max(axis=1), weights[:, -1]
    return value, *ends(100 * (drawn - unseen), 100 * (drawn + unseen), value, within=(0.0, 100.0))


def likeness(
    samples: Samples, reference: Samples | None, *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float, float]:
    """p x100 of Kolmogorov and Smirnov's test of two samples, three times: a p has no interval. Errors as above."""
    from scipy.stats import ks_2samp  # takes a second to load, which a list of scores does without

    own, known = _alike(samples, reference)
    p = 100 * float(ks_2samp(own, known).pvalue) if np.isfinite(own).all() else math.nan
    return p, p, p


def net(
    samples: Samples, reference: Samples | None, *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float, float]:
    """What items gain beyond the retrained model's, in points, and its interval (value, low, high); 0 at least.

    Items are paired: they are weighed at random by the same weights for both models, and so for both conditions of
    which an item is the difference. The unseen one gains 100 points more, or less. Errors as in `distance`.
    """
    own, known = _alike(samples, reference)
    if not np.isfinite(own).all():
        return math.nan, math.nan, math.nan
    gained = own - known
    value = max(0.0, float(gained.mean()))
    if not gained.any():
        return value, value, value
    (weights,) = item_weights((len(gained),), seed, draws)
    drawn, unseen = weights[:, :-1] @ gained, BEST * weights[:, -1]
    return value, *ends(drawn - unseen, drawn + unseen, value, within=(0.0, math.inf))


def _alike(samples: Samples, reference: Samples | None) -> tuple[np.ndarray, np.ndarray]:
    """A model's items and the retrained model's, as many."""
    return samples[WHOLE], _of_these_items(samples, reference)[WHOLE]


def _wins(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    above = first[:, None] - second[None, :]
    return (np.sign(above) + 1) / 2  # [f, s]: 1, or 1/2 for a tie, or 0


def _relative(model: Any, reference: Any) -> Any:
    return (model - reference) / reference * 100


def _aucs(wins: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What the seen items add to each draw's AUC: the sum of w_first * wins * w_second. [R, f+1], [R, s+1] -> [R]."""
    return ((first[:, :-1] @ wins) * second[:, :-1]).sum(axis=1)
