"""Membership attacks: how unlikely a model finds each text, by several measures (PPL, zlib, lower, Min-K%, Min-K%++).

All come from one pass over the texts, but for two that take another each, done when that attack is asked for and not
otherwise: `lower` over the texts in lower case, `min_k++` for the whole distribution at each token. The attack by the
difference from the retrained model's loss takes the items of `ppl` (mia.py).
"""

import math
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores.protocol import Protocol
from trainables.scores.score import Items

if TYPE_CHECKING:
    from trainables.world import World

MIN_K = (5, 10, 20, 30, 40, 50, 60)  # per cent
LOWER = "lower"
STANDARDISED = "min_k++"
ATTACKS = ("ppl", "zlib", LOWER, *(f"min_{percent}" for percent in MIN_K), STANDARDISED)
DEFAULT_ATTACK = "min_40"  # that of PrivLeak
DEFAULT_PERCENT = 40
SPLITS = ("forget", "holdout")


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> "Attacks":
    """The texts of a benchmark that are attacked."""
    return Attacks(benchmark, tokenizer, protocol)


class Attacks:
    """Forgotten texts and texts never seen; call it with a model, for what gives the items of any attack."""

    def __init__(self, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> None:
        self._texts = {
            split: Texts(benchmark.texts("privleak", split), tokenizer, protocol, f"privleak/{split}")
            for split in SPLITS
        }
        self.longest = {f"privleak/{split}": texts.longest for split, texts in self._texts.items()}
        self._prompts = [text for texts in self._texts.values() for text in texts.texts]
        self._kinds = [split for split, texts in self._texts.items() for _ in texts.texts]

    def __call__(self, model: Any, **options: Any) -> Callable[[str], Items]:
        """A function from an attack to its items, which is to be called while the model is what it is now.

        An item's truth is its split, its value how unlikely its text is.
        """
        found = [texts(model, **options) for texts in self._texts.values()]
        nothing = [""] * len(self._prompts)

        def items(attack: str) -> Items:
            return Items(self._prompts, nothing, self._kinds, np.concatenate([scores(attack) for scores in found]))

        return items


class Texts:
    """The texts of one split, tokenised once as they are and in lower case; call it with a model."""

    def __init__(self, texts: Sequence[str], tokenizer: Any, protocol: Protocol, split: str = "texts") -> None:
        self.texts = list(texts)
        self._drop_last = protocol.drop_last
        self._ids = [tokenizer(text).input_ids for text in texts]
        self._lower = [tokenizer(text.lower()).input_ids for text in texts]
        self.longest = (
            max(map(len, [*self._ids, *self._lower]), default=1) - 1
        )  # tokens read at once: the last is never fed
        self._bytes = np.array([len(zlib.compress(text.encode("utf-8"))) for text in texts])
        needed = 3 if protocol.drop_last else 2
        for i, (ids, lower) in enumerate(zip(self._ids, self._lower, strict=True)):
            if min(len(ids), len(lower)) < needed:
                raise ValueError(f"{split}[{i}] = {texts[i]!r} has fewer than {needed} tokens: nothing to attack")

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Callable[[str], np.ndarray]:
        """A function from an attack to its score of each text, [n]; `lower` runs the model once more.

        ppl: the mean negative log-prob (not its exponential); zlib: that over the text's compressed bytes;
        lower: that over its value for the text in lower case; min_K: `min_k`. As in the public code of MUSE. min_k++:
        `min_k` at 40% of log-probs in standard deviations from what the model expects (arXiv 2404.02936).
        """
        pass_over = partial(read, model, world=world, batch_size=batch_size, texts=passes.texts)
        logprobs = pass_over(self._ids)
        plain = _losses(logprobs)

        def lowest(values: Sequence[np.ndarray], percent: int) -> np.ndarray:
            return np.array([min_k(own[:-1] if self._drop_last else own, percent) for own in values])

        def score(attack: str) -> np.ndarray:
            if attack == "ppl":
                return plain
            if attack == "zlib":
                return plain / self._bytes
            if attack == LOWER:
                return plain / _losses(pass_over(self._lower))
            if attack == STANDARDISED:
                return lowest(pass_over(self._ids, what="standardised"), DEFAULT_PERCENT)
            return lowest(logprobs, int(attack.removeprefix("min_")))

        return score


def _losses(logprobs: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([-values.mean() for values in logprobs])


def read(
    model: Any, ids: list[list[int]], world: "World | None", *, what: str = "log-prob", **options: Any
) -> list[np.ndarray]:
    """The log-probs of each text's tokens but the first, or another of MEASURES; workers share the texts."""
    from trainables.decoding.log_probs import MEASURES, token_values  # loads torch, which a list of scores does without
    from trainables.world import ALONE

    return (world or ALONE).share_out(lambda rows: token_values(model, rows, MEASURES[what], **options), ids)


def true_positives(first: np.ndarray, second: np.ndarray, percent: float) -> float:
    """The largest share x100 of `first` at or below a threshold which at most `percent` of `second` reach.

    Values are those of an attack, low where a text is likely: of forgotten texts against texts never seen it is the
    true-positive rate at a false-positive rate of `percent` (TPR at 1% FPR). Nothing is interpolated. ValueError for
    fewer texts of `second` than one that the rate allows to be wrong needs: 100 at 1%.
    """
    needed = math.ceil(100 / percent)
    if len(second) < needed:
        raise ValueError(
            f"{len(second)} texts are too few for a false-positive rate of {percent:g}%: {needed} are needed"
        )
    allowed = int(len(second) * percent / 100)
    beyond = np.sort(second)[allowed]  # a threshold has to be below it
    return float(100 * np.mean(first < beyond))


def min_k(logprobs: np.ndarray, percent: int) -> float:
    """Minus the mean of the lowest int(percent/100 * n), but at least one, of n token log-probs (Min-K%).

    Where that number is 0 the public code of MUSE gives nan; open-unlearning takes one token, as here.
    """
    if len(logprobs) == 0:
        raise ValueError("min_k needs at least one token log-prob, got none")
    count = max(1, int(len(logprobs) * (percent / 100)))
    return float(-np.sort(logprobs)[:count].mean())
