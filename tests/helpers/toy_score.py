"""A score that Lethe does not have: how likely a model finds the forgotten texts. All that a new score takes."""

from typing import Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.scores.attacks import read
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score


class Likely:
    """The forgotten texts, tokenised once; call it with a model."""

    def __init__(self, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> None:
        self._texts = benchmark.texts("raw", "forget")
        self._ids = [tokenizer(text).input_ids for text in self._texts]
        self.longest = {"raw/forget": max(map(len, self._ids)) - 1}

    def __call__(self, model: Any, *, batch_size: int, world: Any, passes: Any) -> Items:
        """100 times the mean token's probability, by the geometric mean."""
        found = read(model, self._ids, world, batch_size=batch_size, texts=passes.texts)
        values = np.array([100 * np.exp(logprobs.mean()) for logprobs in found])
        return Items(self._texts, [f"{value:.3f} of 100" for value in values], self._texts, values)


SCORES = (
    Score(
        card=Card(
            name="likely_f",
            goal="minimize",
            meaning="finds forgotten text likely",
            item="forgotten text, weighed",
            forgotten=True,
        ),
        needs=(("raw", "forget"),),
        prepare=Likely,
    ),
)
