"""Multiple choice: whether the right answer to a question is likelier than wrong ones of its kind.

Choices are compared by the sum of their tokens' log-probs behind the same tokens of KnowMem's prompt; of four choices
chance is 25. A model that never read the truth may lie below it, for it has read the wrong answers from retained text.
What is recognised here and not said there is suppressed, not forgotten.

A benchmark that brings choices (config `mcq`, as WMDP's) is asked these; else KnowMem's questions are, with wrong
answers from choices.py. Items of the config are rows and indices, no texts: WMDP's questions are not to be spread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores.answers import FORGET, RETAIN, Answered, Answers, score_of
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score

if TYPE_CHECKING:
    from trainables.world import World


class Choices:
    """The rows of one split of `mcq`, tokenised once; call it with a model."""

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        shots: Sequence[Mapping[str, str]],
        tokenizer: Any,
        protocol: Protocol,
        split: str,
    ) -> None:
        truths = [int(row["answer"]) for row in rows]
        orders = [
            [*(i for i in range(len(row["choices"])) if i != truth), truth]
            for row, truth in zip(rows, truths, strict=True)
        ]
        choices = [[row["choices"][i] for i in order] for row, order in zip(rows, orders, strict=True)]
        self._answers = Answers(knowmem_prompts(rows, shots), choices, tokenizer, protocol, f"mcq/{split}")
        self._names = [f"mcq/{split}, row {number}" for number in range(1, len(rows) + 1)]
        self._indices = [[str(i) for i in order] for order in orders]
        self.longest = self._answers.longest

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Answered:
        """Reads all choices of each row behind its prompt; workers share the rows."""
        answered = self._answers(model, batch_size=batch_size, world=world, passes=passes)
        truths = [own[-1] for own in self._indices]
        return replace(answered, prompts=self._names, choices=self._indices, truths=truths)


def prepare(split: str, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Choices:
    """The rows of a split of `mcq`, behind KnowMem's few-shot examples of the split where a benchmark has any."""
    examples = ("knowmem", f"{split}_qa_icl")
    shots = benchmark.rows(*examples) if benchmark.has(*examples) else []
    return Choices(benchmark.rows("mcq", split), shots, tokenizer, protocol, split)


def _items(answered: Answered) -> Items:
    # The truth is the last of its choices: it has to be likelier than the others, not as likely.
    picked = [int(sums.argmax()) for sums in answered.sums]
    outputs = [choices[i] for choices, i in zip(answered.choices, picked, strict=True)]
    right = [i == len(choices) - 1 for choices, i in zip(answered.choices, picked, strict=True)]
    return Items(answered.prompts, outputs, answered.truths, 100.0 * np.array(right))


def _brought(split: str, card: Card) -> Score:
    """A score of the choices that a benchmark brings."""
    return Score(
        card=card,
        needs=(("mcq", split),),
        prepare=partial(prepare, split),
        items=_items,
        lacking=f"choices (config mcq, split {split})",
    )


def _of_questions(questions: str, split: str, name: str, meaning: str, item: str) -> Score:
    """A score of KnowMem's questions where a benchmark brings no choices."""
    own = score_of(questions, name, meaning, item, _items, picked=True)
    return replace(own, rather=_brought(split, own.card))


F = ("picks right answers about forgotten text", "questions about forgotten text, one answer of four picked")
R = ("picks right answers about retained text", "questions about retained text, one answer of four picked")
GENERAL = Card(
    name="mcq_g",
    goal="maximize",
    meaning="picks right answers of general knowledge",
    item="general knowledge, one answer of several picked",
    shown=False,
)
SCORES = (
    _of_questions(FORGET, "forget", "mcq_f", *F),
    _of_questions(RETAIN, "retain", "mcq_r", *R),
    _brought("general", GENERAL),
)
