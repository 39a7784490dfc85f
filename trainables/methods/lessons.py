"""What a model says of prompts when it reads more than these, to be learned without: its answers and their logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainables.decoding.generate import greedy
from trainables.settings import Descent
from trainables.subjects.causal import is_plain
from trainables.training.descend import FORGET, Term, batches

Ids = Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """Prompts with answers as sequences, targets that are a prompt's, and the likeliest words where an answer is."""

    sequences: list[list[int]]
    leading: list[int]
    words: list[Tensor]  # [T - 1, K]
    values: list[Tensor]  # their logits, less the mean of these: [T - 1, K] fp32


def answers_of(model: Any, tokenizer: Any, prompts: Sequence[Ids], *, longest: int, batch_size: int) -> list[list[int]]:
    """What a model goes on with greedily behind each prompt, up to a line break."""
    return greedy(
        model,
        prompts,
        max_new_tokens=longest,
        batch_size=batch_size,
        stop=lambda new: "\n" in tokenizer.decode(new),
        decode="shared" if is_plain(model) else "whole",  # which is slow, and right for every model
    )


@torch.no_grad()
def lessons(
    teacher: Any,
    read: Sequence[Ids],
    asked: Sequence[Ids],
    answers: Sequence[Ids],
    count: int,
    settings: Descent,
    *,
    pad: int,
) -> Lessons:
    """The `count` highest logits of a teacher at each token of answers behind what it has read, for who is asked."""
    whole = [[*before, *answer] for before, answer in zip(read, answers, strict=True)]
    term = Term(name="", sequences=whole, stream=FORGET, weight=0.0, loss=None)
    words: list[Tensor] = []
    values: list[Tensor] = []
    for batch in batches(teacher, term, range(len(whole)), pad, settings):
        for logits in batch.out:
            row = len(words)
            at = slice(len(read[row]) - 1, len(whole[row]) - 1)
            highest = logits[at].float().topk(min(count, logits.shape[-1]), dim=-1)
            before = highest.values.new_zeros(len(asked[row]) - 1, highest.values.shape[-1])
            words.append(torch.cat([before.long(), highest.indices]).cpu())
            values.append(torch.cat([before, highest.values - highest.values.mean(-1, keepdim=True)]).cpu())
    return Lessons(
        sequences=[[*before, *answer] for before, answer in zip(asked, answers, strict=True)],
        leading=[len(before) - 1 for before in asked],
        words=words,
        values=values,
    )
