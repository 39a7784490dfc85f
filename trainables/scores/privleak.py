"""PrivLeak: can a membership attack still tell forgotten texts from texts never seen?

    PrivLeak = (AUC - AUC_retrained) / AUC_retrained * 100

AUC is that of forget (label 0) against holdout (label 1) on the NEGATED attack score, where an attack score
grows as the model finds the text less likely. A model that remembers has AUC near 0 and PrivLeak near -100.
The attack scores are those of `attacks`; here is only arithmetic on them, without torch.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainables.scores.intervals import DRAWS, ends, item_weights

MIN_K = (5, 10, 20, 30, 40, 50, 60)  # per cent
ATTACKS = ("ppl", "zlib", "lower", *(f"min_{percent}" for percent in MIN_K))
DEFAULT_ATTACK = "min_40"  # the attack whose PrivLeak is the score of that name
SPLITS = ("forget", "holdout")

Attack = dict[str, dict[str, np.ndarray]]  # attack name -> split -> a score an item


def auc(forget: np.ndarray, holdout: np.ndarray) -> float:
    """P(holdout score < forget score), ties one half: roc_auc_score on minus the scores; label 1: holdout."""
    return float(_wins(forget, holdout).mean())


def privleak(
    attack: Mapping[str, np.ndarray],
    retrained: Mapping[str, np.ndarray] | None,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[float, float, float]:
    """PrivLeak x100 and its 95% interval (value, low, high), from one attack's scores by split.

    Forget items and holdout items are weighed at random, each on their own, by the same weights for the model as for
    the retrained reference. The unseen item, shared out between the splits, loses or wins against all for the model,
    and is like the others for the reference. A model with the reference's very scores is the reference: 0 without
    width. ValueError without a reference, for a reference of other items, and for a reference AUC of 0.
    """
    if retrained is None:
        raise ValueError("PrivLeak needs the attack scores of a retrained model; there is no default reference")
    for split in SPLITS:
        if len(attack[split]) != len(retrained[split]):
            counts = f"{len(attack[split])} and {len(retrained[split])}"
            raise ValueError(f"model and retrained reference differ in {split} items: {counts}")
    wins = _wins(attack["forget"], attack["holdout"])  # [f, h]
    base = _wins(retrained["forget"], retrained["holdout"])
    if base.mean() == 0:
        raise ValueError("the retrained model's AUC is 0: PrivLeak divides by it and is not defined")
    value = float(_relative(wins.mean(), base.mean()))
    if all(np.array_equal(attack[split], retrained[split]) for split in SPLITS):
        return value, value, value
    forget, holdout = item_weights(wins.shape, seed, draws)
    unseen = 1 - (1 - forget[:, -1]) * (1 - holdout[:, -1])  # the weight of pairs with an unseen item in them
    model = _aucs(wins, forget, holdout)
    reference = _aucs(base, forget, holdout) / (1 - unseen)
    best = _relative(model + unseen, reference)
    return value, *ends(_relative(model, reference), best, value, within=(-100.0, math.inf))


def _wins(forget: np.ndarray, holdout: np.ndarray) -> np.ndarray:
    above = forget[:, None] - holdout[None, :]
    return (np.sign(above) + 1) / 2  # [f, h]: 1, or 1/2 for a tie, or 0


def _relative(model: Any, reference: Any) -> Any:
    return (model - reference) / reference * 100


def _aucs(wins: np.ndarray, forget: np.ndarray, holdout: np.ndarray) -> np.ndarray:
    """What the seen items add to each draw's AUC: the sum of w_forget * wins * w_holdout. [R, f+1], [R, h+1] -> [R]."""
    return ((forget[:, :-1] @ wins) * holdout[:, :-1]).sum(axis=1)
