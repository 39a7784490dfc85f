"""PrivLeak: can a membership attack still tell forgotten texts from texts never seen?

    PrivLeak = (AUC - AUC_retrained) / AUC_retrained * 100

AUC is that of forget (label 0) against holdout (label 1) on the NEGATED attack score, where an attack score
grows as the model finds the text less likely. A model that remembers has AUC near 0 and PrivLeak near -100.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.muse.intervals import RESAMPLES, percentile_interval, resample_counts
from trainables.muse.logprobs import token_logprobs
from trainables.muse.protocol import Protocol
from trainables.world import ALONE, World

MIN_K = (5, 10, 20, 30, 40, 50, 60)  # per cent
ATTACKS = ("ppl", "zlib", "lower", *(f"min_{percent}" for percent in MIN_K))
DEFAULT_ATTACK = "min_40"  # the attack whose PrivLeak is the score of that name
SPLITS = ("forget", "holdout")

Attack = dict[str, dict[str, np.ndarray]]  # attack name -> split -> a score an item


class Texts:
    """The texts of one split, tokenised once as they are and in lower case; call it with a model."""

    def __init__(self, texts: Sequence[str], tokenizer: Any, protocol: Protocol, split: str = "texts") -> None:
        self.texts = list(texts)
        self._drop_last = protocol.drop_last
        self._ids = [tokenizer(text).input_ids for text in texts]
        self._lower = [tokenizer(text.lower()).input_ids for text in texts]
        self._bytes = np.array([len(zlib.compress(text.encode("utf-8"))) for text in texts])
        needed = 3 if protocol.drop_last else 2
        for i, (ids, lower) in enumerate(zip(self._ids, self._lower, strict=True)):
            if min(len(ids), len(lower)) < needed:
                raise ValueError(f"{split}[{i}] = {texts[i]!r} has fewer than {needed} tokens: nothing to attack")

    def __call__(self, model: Any, *, batch_size: int = 32, world: World = ALONE) -> dict[str, np.ndarray]:
        """Each attack's score of each text, [n] each.

        ppl: the mean negative log-prob (not its exponential); zlib: that over the text's compressed bytes;
        lower: that over its value for the text in lower case; min_K: `min_k`. As in the public code of MUSE.
        """
        texts = [*self._ids, *self._lower]
        logprobs = world.share_out(lambda ids: token_logprobs(model, ids, batch_size=batch_size), texts)
        loss = np.array([-values.mean() for values in logprobs])
        plain, lower = np.split(loss, 2)
        scores = {"ppl": plain, "zlib": plain / self._bytes, "lower": plain / lower}
        kept = [values[:-1] if self._drop_last else values for values in logprobs[: len(plain)]]
        for percent in MIN_K:
            scores[f"min_{percent}"] = np.array([min_k(values, percent) for values in kept])
        return scores


def min_k(logprobs: np.ndarray, percent: int) -> float:
    """Minus the mean of the lowest int(percent/100 * n), but at least one, of n token log-probs (Min-K%).

    Where that number is 0 the public code of MUSE gives nan; open-unlearning takes one token, as here.
    """
    if len(logprobs) == 0:
        raise ValueError("min_k needs at least one token log-prob, got none")
    count = max(1, int(len(logprobs) * (percent / 100)))
    return float(-np.sort(logprobs)[:count].mean())


def auc(forget: np.ndarray, holdout: np.ndarray) -> float:
    """P(holdout score < forget score), ties one half: roc_auc_score on minus the scores; label 1: holdout."""
    return float(_wins(forget, holdout).mean())


def privleak(
    attack: Mapping[str, np.ndarray],
    retrained: Mapping[str, np.ndarray] | None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[float, float, float]:
    """PrivLeak x100 and its 95% bootstrap interval (value, low, high), from one attack's scores by split.

    Resampled are forget items and holdout items, each on its own, the same draws for the model as for the
    retrained reference; draws in which the reference's AUC is 0 say nothing and are left out. Raises
    ValueError without a reference, for a reference of other items, and for a reference AUC of 0.
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
    rng = np.random.default_rng(seed)
    forget, holdout = (resample_counts(n, rng=rng, resamples=resamples) for n in wins.shape)
    draws, reference = _aucs(wins, forget, holdout), _aucs(base, forget, holdout)
    usable = reference > 0
    return value, *percentile_interval(_relative(draws[usable], reference[usable]), value)


def _wins(forget: np.ndarray, holdout: np.ndarray) -> np.ndarray:
    above = forget[:, None] - holdout[None, :]
    return (np.sign(above) + 1) / 2  # [f, h]: 1, or 1/2 for a tie, or 0


def _relative(model: Any, reference: Any) -> Any:
    return (model - reference) / reference * 100


def _aucs(wins: np.ndarray, forget: np.ndarray, holdout: np.ndarray) -> np.ndarray:
    """The AUC of each resample: sum of count_f * wins * count_h over f * h. Counts [R, f], [R, h] -> [R]."""
    return ((forget @ wins) * holdout).sum(axis=1) / wins.size
