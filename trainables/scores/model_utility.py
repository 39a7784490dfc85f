"""Model utility: TOFU's one number for what a model still knows and says of what it was not to forget.

It is the harmonic mean of nine: of retained questions, of those about real authors and of those about the world (the
`qa` splits retain, authors and facts), each

    prob    exp(l) of the answer, l the mean over its tokens of log p; of the latter two sets divided by its sum with
            the probabilities of the wrong answers
    rouge   ROUGE-L recall, stemmed, of the answer in what the model writes, in at most 200 tokens
    truth   max(0, 1 - TR), TR the truth ratio (truth_ratio.py)

One that is 0 makes it 0. Unlike TOFU's code it reads all rows, and no end-of-sequence (questions.py). arXiv 2401.06121.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.subsequences import lcs_length
from trainables.decoding.passes import FAST, Passes
from trainables.scores.knowmem import StopWords
from trainables.scores.protocol import Protocol
from trainables.scores.questions import Questions, Weighed, without_wrong_answers
from trainables.scores.reductions import HARMONIC
from trainables.scores.rouge import decode, finish, rouge_words
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name
from trainables.scores.truth_ratio import preference, ratios
from trainables.scores.verbmem import written

if TYPE_CHECKING:
    from trainables.world import World

SETS = ("retain", "authors", "facts")  # splits of qa
PARTS = ("prob", "rouge", "truth")
SAMPLES = tuple(f"{name} {part}" for name in SETS for part in PARTS)
NEW_TOKENS = 200


class Kept:
    """The questions of all three sets, tokenised once; call it with a model."""

    def __init__(self, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> None:
        self._tokenizer, self._protocol = tokenizer, protocol
        self._words = rouge_words(replace(protocol, use_stemmer=True))
        self._sets = {name: Questions(benchmark.rows("qa", name), tokenizer, protocol, name) for name in SETS}
        self._answers = {name: [row["answer"] for row in benchmark.rows("qa", name)] for name in SETS}
        self._ids = {name: [tokenizer(prompt).input_ids for prompt in own.prompts] for name, own in self._sets.items()}
        self._stop = StopWords(tokenizer, protocol.stop_words)
        read = {name: max(map(len, ids)) + NEW_TOKENS - 1 for name, ids in self._ids.items()}
        self.longest = {f"qa/{name}": max(read[name], *own.longest.values()) for name, own in self._sets.items()}

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Items:
        """Reads all answers and writes one to each question: three items a question, whose truth is their sample."""
        found, stop = Items([], [], [], np.empty(0)), self._protocol.stop_words
        for name, questions in self._sets.items():
            weighed = questions(model, batch_size=batch_size, world=world, passes=passes)
            new = written(
                model,
                self._ids[name],
                NEW_TOKENS,
                world,
                batch_size=batch_size,
                decode=passes.decode,
                stop=self._stop,
            )
            outputs = [finish(decode(self._tokenizer, ids), self._protocol, self._tokenizer, stop) for ids in new]
            values = (
                probabilities(weighed, among=name != "retain"),
                np.array([self._recall(*pair) for pair in zip(self._answers[name], outputs, strict=True)]),
                preference(ratios(weighed)),
            )
            for part, own in zip(PARTS, values, strict=True):
                found = _joined(found, weighed.prompts, outputs, f"{name} {part}", 100 * own)
        return found

    def _recall(self, truth: str, output: str) -> float:
        words = self._words(truth)
        return lcs_length(words, self._words(output)) / len(words) if words else 0.0


def probabilities(weighed: Weighed, *, among: bool) -> np.ndarray:
    """The probability of each answer by the mean log-prob of its tokens; with `among` its share with wrong ones."""
    own = np.exp(weighed.answer)
    return own / (own + [np.exp(wrong).sum() for wrong in weighed.wrong] + 1e-10) if among else own


def _joined(items: Items, prompts: list[str], outputs: Sequence[str], sample: str, values: np.ndarray) -> Items:
    return Items(
        items.prompts + prompts,
        [*items.outputs, *outputs],
        items.truths + [sample] * len(prompts),
        np.concatenate([items.values, values]),
    )


def _unfit(benchmark: Benchmark) -> str:
    return next(filter(None, (without_wrong_answers(name, benchmark) for name in SETS)), "")


SCORES = (
    Score(
        card=Card(
            name="model_utility",
            goal="maximize",
            meaning="knows and says what was not to be forgotten",
            item="questions about what was not to be forgotten",
            shown=False,
            reduction=HARMONIC,
            samples=SAMPLES,
        ),
        needs=tuple(("qa", name) for name in SETS),
        prepare=Kept,
        together=by_name,
        unfit=_unfit,
    ),
)
