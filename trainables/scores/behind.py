"""Answers behind a prompt in tokens: where they leave it, and where each of them begins. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainables.scores.utility import choice_start


@dataclass(frozen=True)
class Behind:
    """A prompt, and the tokens of answers from where the first of them leaves it, so that all go on from the same ones.

    A tokenizer may read the end of a prompt together with what follows: so many of its tokens are `dropped`.
    """

    prompt: list[int]
    answers: list[list[int]]
    dropped: int
    begins: list[int]  # where each answer itself begins in its tokens

    @property
    def longest(self) -> int:
        """Tokens that a model reads for the longest answer; the last one is never fed."""
        return len(self.prompt) - self.dropped + max(map(len, self.answers)) - 1


def behind(tokenizer: Any, prompt: str, answers: Sequence[str]) -> Behind:
    """Each answer, tokenised with its prompt as one string."""
    texts = [prompt, *(prompt + answer for answer in answers)]
    before, *whole = (tokenizer(text, add_special_tokens=True).input_ids for text in texts)
    starts = [choice_start(before, ids) for ids in whole]
    stem = min(starts)
    return Behind(before, [ids[stem:] for ids in whole], len(before) - stem, [start - stem for start in starts])
