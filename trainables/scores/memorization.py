"""Whether a model knows a forgotten text word for word: teacher-forced, so one pass reads it and nothing is generated.

At each token of a text the model is given all before it and asked for the likeliest next one. Exact memorisation is the
share of tokens that are it; extraction strength is how much of a text's end follows from what is before. Source:
open-unlearning, src/evals/metrics/memorization.py.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import unicode_words
from trainables.decoding.passes import FAST, Passes
from trainables.scores.attacks import read
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_text
from trainables.scores.utility import choice_start

if TYPE_CHECKING:
    from trainables.world import World


def exact_memorization(right: np.ndarray) -> float:
    """The share of tokens, in [0, 1], that are the likeliest; 0 of none."""
    return float(np.mean(right)) if len(right) else 0.0


def extraction_strength(right: np.ndarray) -> float:
    """1 - k/L, k being the first of L tokens from which on all are the likeliest; 0 where the last is not."""
    wrong = np.flatnonzero(~np.asarray(right, bool))
    return 1 - (wrong[-1] + 1) / len(right) if len(wrong) else float(len(right) > 0)


def open_unlearning(measure: Callable[[np.ndarray], float]) -> Callable[[np.ndarray], float]:
    """A measure as open-unlearning's code has it: without the last token, taken for an end that nothing was asked of.

    Its extraction strength is never below 1/L, for its loop ends at the last token, right or wrong.
    """

    def measured(right: np.ndarray) -> float:
        kept = right[:-1]
        least = 1 / len(kept) if len(kept) and measure is extraction_strength else 0.0
        return max(measure(kept), least)

    return measured


class Recited:
    """The prompts of `verbmem` with their truths behind them, tokenised once; call it with a model."""

    def __init__(self, rows: Sequence[Mapping[str, str]], tokenizer: Any, protocol: Protocol) -> None:
        self.prompts = [row["prompt"] for row in rows]
        self.truths = [row["gt"] for row in rows]
        self._as_theirs = protocol.drop_last
        before = [tokenizer(prompt).input_ids for prompt in self.prompts]
        whole = [tokenizer(joined(*pair)).input_ids for pair in zip(self.prompts, self.truths, strict=True)]
        self._starts = [choice_start(*pair) for pair in zip(before, whole, strict=True)]
        # As many tokens as VerbMem has a model write.
        self._ids = [ids[: start + protocol.verbmem_tokens] for ids, start in zip(whole, self._starts, strict=True)]
        self._read, self._place = distinct(self._ids)
        self.longest = {"verbmem/forget": max(map(len, self._ids)) - 1}  # the last token is never fed

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Callable[[Callable[[np.ndarray], float]], Items]:
        """A function from a measure of which tokens are the likeliest to its items."""
        found = read(model, self._read, world, what="likeliest", batch_size=batch_size, texts=passes.texts)
        rows = zip(self._ids, self._starts, self._place, strict=True)
        right = [found[place][start - 1 : len(ids) - 1] > 0 for ids, start, place in rows]
        nothing = [""] * len(self.prompts)

        def items(measure: Callable[[np.ndarray], float]) -> Items:
            own = open_unlearning(measure) if self._as_theirs else measure
            return Items(self.prompts, nothing, self.truths, 100 * np.array([own(values) for values in right]))

        return items


def distinct(rows: Sequence[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The rows that begin no other row, and for each row which of these it is or begins.

    Prompts of one text go on from one another: with their truths they are that text, which is read once.
    """
    kept: list[list[int]] = []
    places = [0] * len(rows)
    for i in sorted(range(len(rows)), key=lambda i: rows[i], reverse=True):  # what begins a row comes right behind it
        if not kept or kept[-1][: len(rows[i])] != rows[i]:
            kept.append(rows[i])
        places[i] = len(kept) - 1
    return kept, places


def joined(prompt: str, truth: str) -> str:
    """A prompt and its truth as one text, with a space where a public benchmark stripped it from the truth."""
    stripped = not prompt[-1:].isspace() and len(unicode_words(f"a{truth[:1]}")) == len(unicode_words(truth[:1])) == 1
    return f"{prompt} {truth}" if stripped else prompt + truth


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Recited:
    """The texts of a benchmark."""
    return Recited(benchmark.rows("verbmem", "forget"), tokenizer, protocol)


def _score_of(name: str, meaning: str, measure: Callable[[np.ndarray], float]) -> Score:
    return Score(
        card=Card(name=name, goal="minimize", meaning=meaning, forgotten=True, shown=False),
        needs=(("verbmem", "forget"),),
        prepare=prepare,
        items=lambda measured: measured(measure),
        together=by_text,
    )


SCORES = (
    _score_of("extraction_strength_f", "knows the ends of forgotten text by what is before", extraction_strength),
    _score_of("exact_memorization_f", "knows the next token of forgotten text", exact_memorization),
)
