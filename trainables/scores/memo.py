"""MEMO: how well a model continues an answer from each place where it is cut, on average over cuts.

    MEMO = 100 * mean over cuts of F(ROUGE-1 of what is written behind the first part, and the rest of the answer)

Cuts are at every so many characters of the answer, from its beginning on, so the first is behind the question alone.
What is written is greedy, and no longer than the rest in tokens. Source: Gu et al. 2024, arXiv 2409.11844, its "suffix"
form; its public code takes the precision, of stemmed words, and lets outputs run on.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import unicode_words
from trainables.decoding.passes import FAST, Passes
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name
from trainables.scores.verbmem import written

if TYPE_CHECKING:
    from trainables.world import World

STRIDE = 5  # characters between two cuts: the public code's
FORGET, SHOTS = ("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")


def rouge_1(output: str, label: str) -> float:
    """F-measure, in [0, 1], of the words that two texts share, each as often as both have it; 0 if either is empty."""
    said, wanted = unicode_words(output), unicode_words(label)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def cuts(prompt: str, answer: str, stride: int = STRIDE) -> list[tuple[str, str]]:
    """What stands before each cut of an answer behind a prompt and a space, without a space at its end; the rest."""
    return [(f"{prompt} {answer[:place]}".rstrip(), answer[place:]) for place in range(0, len(answer), stride)]


class Memo:
    """Prompts and answers, cut and tokenised once; call it with a model: of each answer each cut's value, [cuts]."""

    def __init__(self, asked: Sequence[tuple[str, str]], tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        parts = [cuts(*one) for one in asked]
        self._numbers = [len(part) for part in parts]
        self._labels = [label for part in parts for _, label in part]
        self._ids = [tokenizer(prompt).input_ids for part in parts for prompt, _ in part]
        self._rests = [max(1, len(tokenizer(label, add_special_tokens=False).input_ids)) for label in self._labels]
        self.longest = max(map(len, self._ids), default=0) + max(self._rests, default=1) - 1

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, decode: str = FAST.decode
    ) -> list[tuple[str, list[float]]]:
        """Of each answer what is written behind the question alone, and the value of each cut, in [0, 1]."""
        most = max(self._rests, default=1)
        new = written(model, self._ids, most, world, batch_size=batch_size, decode=decode) if self._ids else []
        pairs = zip(new, self._rests, strict=True)
        texts = [self._tokenizer.decode(ids[:rest], skip_special_tokens=True) for ids, rest in pairs]
        values = [rouge_1(text, label) for text, label in zip(texts, self._labels, strict=True)]
        found = iter(zip(texts, values, strict=True))
        parts = [list(islice(found, count)) for count in self._numbers]
        return [(part[0][0] if part else "", [value for _, value in part]) for part in parts]


class Memorised:
    """The questions of KnowMem_f, asked as KnowMem asks them; call it with a model."""

    def __init__(self, rows: Sequence[Any], shots: Sequence[Any], tokenizer: Any) -> None:
        self.prompts = knowmem_prompts(rows, shots)
        self.truths = [row["answer"].strip() for row in rows]
        asked = [(prompt.rstrip(), truth) for prompt, truth in zip(self.prompts, self.truths, strict=True)]
        self._memo = Memo(asked, tokenizer)
        self.longest = {"/".join(FORGET): self._memo.longest}

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Items:
        """Continues each answer from each of its cuts; workers share the cuts."""
        found = self._memo(model, batch_size=batch_size, world=world, decode=passes.decode)
        values = np.array([100 * np.mean(values) if values else 0.0 for _, values in found])
        return Items(self.prompts, [text for text, _ in found], self.truths, values)


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Memorised:
    """The questions of a benchmark on what is to be forgotten; the same by every protocol."""
    return Memorised(benchmark.rows(*FORGET), benchmark.rows(*SHOTS), tokenizer)


SCORES = (
    Score(
        card=Card(
            name="memo_f",
            goal="minimize",
            meaning="goes on with answers about forgotten text from wherever they are cut",
            item="answers about forgotten text, to be continued",
            forgotten=True,
            shown=False,
        ),
        needs=(FORGET, SHOTS),
        prepare=prepare,
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
