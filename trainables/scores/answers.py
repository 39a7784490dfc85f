"""What a model says of KnowMem's questions: what it writes, and how likely it finds the right answer and wrong ones.

One pass over a split serves KnowMem (knowmem.py) and the scores of answers: each prompt is read once, and what is
written and the answers go on from there. An answer's tokens are those from where prompt + answer, tokenised as one
string, leaves the prompt's. The token that would end it, an end-of-sequence or an empty line, is left out: every model
gets it right, which would lift short answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores.behind import behind
from trainables.scores.choices import WRONG, wrong_answers
from trainables.scores.knowmem import KnowMem
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score, fit
from trainables.scores.split import by_name

if TYPE_CHECKING:
    from trainables.world import World

FORGET, RETAIN = "forget_qa", "retain_qa"  # splits of knowmem
OTHER = {FORGET: RETAIN, RETAIN: FORGET}


@dataclass(frozen=True)
class Answered:
    """What one model says of each question: what it writes, log-probs of the truth's tokens, and of whole choices."""

    written: Items | None  # KnowMem's, where it is asked too
    prompts: list[str]
    truths: list[str]
    choices: list[list[str]]  # wrong ones, then the truth
    logprobs: list[np.ndarray]  # [tokens] of the truth each
    sums: list[np.ndarray]  # [choices] each, over what all of them have behind the same tokens

    def weighed(self, values: np.ndarray) -> Items:
        """Items of which a model wrote nothing; their values [n], from 0 to 100, stand in the place of an output."""
        return Items(self.prompts, [f"{value:.1f} of 100" for value in values], self.truths, values)


class Answers:
    """Prompts of one `place`, a "config/split", with wrong answers and the right one last, tokenised once.

    Call it with a model. What it writes to the prompts is scored by `knowmem`, of the same prompts, where there is one.
    """

    def __init__(
        self,
        prompts: Sequence[str],
        choices: Sequence[Sequence[str]],
        tokenizer: Any,
        protocol: Protocol,
        place: str,
        knowmem: KnowMem | None = None,
    ) -> None:
        self._knowmem, self._new_tokens = knowmem, protocol.knowmem_tokens if knowmem else 0
        self.prompts = list(prompts)
        self.choices = [[choice.strip() if protocol.strip else choice for choice in own] for own in choices]
        self.truths = [own[-1] for own in self.choices]
        self.asked = [behind(tokenizer, *pair) for pair in zip(self.prompts, self.choices, strict=True)]
        written = knowmem.longest[place] if knowmem else 0
        self.longest = {place: max(written, *(one.longest for one in self.asked))}

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Answered:
        """Reads all choices of each question behind its prompt, and answers it; workers share the questions."""
        from trainables.decoding.branches import Asked, answers  # loads torch, which a list of scores does without
        from trainables.world import ALONE

        answer = partial(
            answers,
            model,
            max_new_tokens=self._new_tokens,
            batch_size=batch_size,
            stop=self._knowmem.stop if self._knowmem else None,
            passes=passes,
        )
        said = (world or ALONE).share_out(answer, [Asked(one.prompt, one.answers, one.dropped) for one in self.asked])
        found = [own for _, own in said]
        return Answered(
            written=self._knowmem.scored([new for new, _ in said]) if self._knowmem else None,
            prompts=self.prompts,
            truths=self.truths,
            choices=self.choices,
            logprobs=[own[-1][one.begins[-1] :] for own, one in zip(found, self.asked, strict=True)],
            sums=[np.array([values.sum() for values in own]) for own in found],
        )


def prepare(split: str, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Answers:
    """The questions of a split of a benchmark, with wrong answers from both of its splits."""
    rows, shots = (benchmark.rows("knowmem", name) for name in (split, f"{split}_icl"))
    there = benchmark.has("knowmem", OTHER[split])
    others = benchmark.rows("knowmem", OTHER[split]) if there else []
    choices = [[*wrong, row["answer"]] for row, wrong in zip(rows, wrong_answers(rows, others), strict=True)]
    place = f"knowmem/{split}"
    knowmem = KnowMem(rows, shots, tokenizer, protocol, place)
    return Answers(knowmem.prompts, choices, tokenizer, protocol, place, knowmem)


def too_few_answers(split: str, benchmark: Benchmark) -> str:
    """Why there are not wrong answers enough to each question of a split; "" where there are."""
    rows, others = (benchmark.rows("knowmem", name) for name in (split, OTHER[split]))
    fewest = min(map(len, wrong_answers(rows, others)), default=WRONG)
    if fewest < WRONG:
        return (
            f"has too few different answers: a question of knowmem/{split} has {fewest} wrong ones, and takes {WRONG}"
        )
    return ""


PREPARED = {split: partial(prepare, split) for split in OTHER}  # one each, so that all scores of a split share a pass


def score_of(
    split: str,
    name: str,
    meaning: str,
    item: str,
    items: Callable[[Any], Items],
    *,
    picked: bool,
    on_request: bool = False,
) -> Score:
    """A score of a split's questions, which no table shows; where answers are `picked` it needs wrong ones."""
    forgotten = split == FORGET
    needs = [split, f"{split}_icl", *([OTHER[split]] if picked else [])]
    return Score(
        card=Card(
            name=name,
            goal="minimize" if forgotten else "maximize",
            meaning=meaning,
            item=item,
            forgotten=forgotten,
            shown=False,
            on_request=on_request,
        ),
        needs=tuple(("knowmem", need) for need in needs),
        prepare=PREPARED[split],
        items=items,
        together=by_name,
        lacking="questions (config knowmem)",
        unfit=partial(too_few_answers, split) if picked else fit,
    )
