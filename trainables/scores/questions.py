"""How likely a model finds each answer to the questions of `qa`, right and wrong ones: read, nothing is generated.

The prompt is "Question: ...\nAnswer: " without examples. One pass over a split serves all scores of it. An answer's
tokens are those from where prompt + answer, tokenised as one string, leaves the prompt's; the token that would end it
is left out, where TOFU and open-unlearning count it. The right answer that wrong ones are set against is the paraphrase
where there is one, for wrong answers are in its words; else the answer itself. TOFU, arXiv 2401.06121.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.rows import Row, lacking
from trainables.decoding.passes import FAST, Passes
from trainables.scores.behind import behind
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.protocol import Protocol
from trainables.scores.score import Items

if TYPE_CHECKING:
    from trainables.world import World

FORGET, RETAIN = "forget", "retain"  # splits of qa


@dataclass(frozen=True)
class Weighed:
    """What one model says of each question: the mean log-prob of a token of its answers."""

    prompts: list[str]
    truths: list[str]  # what wrong answers are set against
    answer: np.ndarray  # [n]
    right: np.ndarray  # [n] of `truths`
    wrong: list[np.ndarray]  # [wrong answers] each

    def items(self, values: np.ndarray) -> Items:
        """Items of which a model wrote nothing; their values [n] stand in the place of an output."""
        return Items(self.prompts, [f"{value:.3g}" for value in values], self.truths, values)


class Questions:
    """The questions of one `qa` split with right and wrong answers, tokenised once; call it with a model."""

    def __init__(self, rows: Sequence[Row], tokenizer: Any, protocol: Protocol, split: str = FORGET) -> None:
        self.prompts = knowmem_prompts(rows, [])
        self.truths: list[str] = [row.get("paraphrased_answer") or row["answer"] for row in rows]
        self.asked = []
        for prompt, truth, row in zip(self.prompts, self.truths, rows, strict=True):
            told = [row["answer"], truth, *row["perturbed_answers"]]
            told = [answer.strip() if protocol.strip else answer for answer in told]
            self.asked.append(behind(tokenizer, prompt, told))
        self.longest = {f"qa/{split}": max(one.longest for one in self.asked)}

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Weighed:
        """Reads all answers to each question behind its prompt; workers share the questions."""
        from trainables.decoding.branches import Asked, answers  # loads torch, which a list of scores does without
        from trainables.world import ALONE

        read = partial(answers, model, max_new_tokens=0, batch_size=batch_size, passes=passes)
        asked = [Asked(one.prompt, one.answers, one.dropped) for one in self.asked]
        found = [own for _, own in (world or ALONE).share_out(read, asked)]
        means = [
            np.array([values[begin:].mean() for values, begin in zip(own, one.begins, strict=True)])
            for own, one in zip(found, self.asked, strict=True)
        ]
        return Weighed(
            prompts=self.prompts,
            truths=self.truths,
            answer=np.array([own[0] for own in means]),
            right=np.array([own[1] for own in means]),
            wrong=[own[2:] for own in means],
        )


def prepare(split: str, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Questions:
    """The questions of a split of a benchmark."""
    return Questions(benchmark.rows("qa", split), tokenizer, protocol, split)


def without_wrong_answers(split: str, benchmark: Benchmark) -> str:
    """Why the questions of a split cannot be weighed; "" where they can."""
    column = lacking(benchmark.rows("qa", split), "perturbed_answers")
    return column and f"has no column {column!r} in qa/{split}"


PREPARED = {split: partial(prepare, split) for split in (FORGET, RETAIN)}  # all scores of a split share a pass
