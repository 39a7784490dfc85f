"""General utility: multiple choice on text outside the retain set. Lethe's own; MUSE has no such score.

KnowMem_r hardly moves while general ability (MMLU) falls with KnowMem_f, so utility is watched on its own.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores.attacks import read
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score

if TYPE_CHECKING:
    from trainables.world import World


class Utility:
    """The questions of `utility`, tokenised once; call it with a model.

    A choice is joined to its prompt as it is, so the space between them belongs to one of the two.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], tokenizer: Any) -> None:
        self.prompts = [row["prompt"] for row in rows]
        self.choices: list[list[str]] = [row["choices"] for row in rows]
        self.answers = [_answer(row, choices) for row, choices in zip(rows, self.choices, strict=True)]
        self._ids: list[list[int]] = []
        self._starts: list[int] = []
        for prompt, choices in zip(self.prompts, self.choices, strict=True):
            before = tokenizer(prompt).input_ids
            for choice in choices:
                ids = tokenizer(prompt + choice).input_ids
                self._ids.append(ids)
                self._starts.append(choice_start(before, ids))
        self.longest = {"utility/test": max(map(len, self._ids)) - 1}  # the last token is never fed

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Items:
        """100 where the choice that is likeliest given the prompt (sum of its tokens' log-probs) is right, else 0."""
        logprobs = read(model, self._ids, world, batch_size=batch_size, texts=passes.texts)
        sums = iter([values[start - 1 :].sum() for values, start in zip(logprobs, self._starts, strict=True)])
        picked = [int(np.argmax([next(sums) for _ in choices])) for choices in self.choices]
        return Items(
            prompts=self.prompts,
            outputs=[choices[i] for choices, i in zip(self.choices, picked, strict=True)],
            truths=[choices[i] for choices, i in zip(self.choices, self.answers, strict=True)],
            values=100.0 * (np.array(picked) == np.array(self.answers)),
        )


def _answer(row: Mapping[str, Any], choices: Sequence[str]) -> int:
    answer = int(row["answer"])
    if not 0 <= answer < len(choices):
        raise ValueError(f"answer {row['answer']!r} is not the index of one of {choices}")
    return answer


def choice_start(prompt: Sequence[int], whole: Sequence[int]) -> int:
    """Where the choice begins in the ids of prompt + choice: where they leave the prompt's; at least 1."""
    pairs = enumerate(zip(prompt, whole, strict=False))
    leave = next((i for i, (a, b) in pairs if a != b), min(len(prompt), len(whole)))
    return max(1, min(leave, len(whole) - 1))


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Utility:
    """The questions of a benchmark; choices are compared by their log-probs, whatever the protocol."""
    return Utility(benchmark.rows("utility", "test"), tokenizer)


SCORES = (
    Score(
        card=Card(name="utility", goal="maximize", meaning="general knowledge", item="general knowledge"),
        needs=(("utility", "test"),),
        prepare=prepare,
    ),
)
