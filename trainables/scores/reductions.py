"""How the items of a score become its value and its 95% interval: by their mean, or as a ratio of AUCs. No torch here.

    ratio = (AUC - AUC_retrained) / AUC_retrained * 100

AUC is that of the first sample (label 0) against the second (label 1) on the NEGATED values, where a value grows as the
model finds an item less likely. `lethe.analysis.redraws` draws items anew for differences by the same two kinds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables.scores.intervals import DRAWS, ends, item_weights, mean_interval

MEAN, RATIO = "mean of items", "ratio of AUCs"  # the kinds, as cards have them and studies store them
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
    value, low, high = ratio_of_aucs(samples, reference, seed=seed)
    return Reading(value=value, low=low, high=high, n=n)


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
    if reference is None:
        raise ValueError("a ratio of AUCs needs the items of a retrained model; there is no default reference")
    for sample, values in samples.items():
        if len(values) != len(reference[sample]):
            counts = f"{len(values)} and {len(reference[sample])}"
            raise ValueError(f"model and retrained reference differ in {sample} items: {counts}")
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


def _wins(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    above = first[:, None] - second[None, :]
    return (np.sign(above) + 1) / 2  # [f, s]: 1, or 1/2 for a tie, or 0


def _relative(model: Any, reference: Any) -> Any:
    return (model - reference) / reference * 100


def _aucs(wins: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What the seen items add to each draw's AUC: the sum of w_first * wins * w_second. [R, f+1], [R, s+1] -> [R]."""
    return ((first[:, :-1] @ wins) * second[:, :-1]).sum(axis=1)
