"""Answers behind prompts as token sequences: the prompt is read, only the answer and an end token are learned."""

from collections.abc import Sequence
from typing import Any

from trainables.training.data import Read


def answered_beside(tokenizer: Any, asked: Sequence[tuple[str, Sequence[str]]], *, max_length: int) -> Read:
    """Prompts, each with as many answers: a sequence for each answer, and those of a prompt are drawn together.

    Sequences are as `answered` makes them. ValueError where prompts have different numbers of answers.
    """
    numbers = sorted({len(answers) for _, answers in asked})
    if len(numbers) > 1:
        raise ValueError(f"prompts have {', '.join(map(str, numbers))} answers: each needs as many as the others")
    flat = [(prompt, answer) for prompt, answers in asked for answer in answers]
    sequences, leading = answered(tokenizer, flat, max_length=max_length)
    return Read(sequences, leading, together=max(numbers, default=1))


def answered(tokenizer: Any, asked: Sequence[tuple[str, str]], *, max_length: int) -> tuple[list[list[int]], list[int]]:
    """Token ids of prompts, each with a space and its answer behind it, and how many targets are the prompt's in each.

    An end token stands behind an answer where the tokenizer has one. Of a sequence above `max_length` tokens the
    beginning goes, the first token, which may be the begin token, excepted.
    """
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    prompts = tokenizer([prompt for prompt, _ in asked]).input_ids
    wholes = tokenizer([f"{prompt} {answer}" for prompt, answer in asked]).input_ids
    sequences, leading = [], []
    for prompt, whole in zip(prompts, wholes, strict=True):
        read = shared_begin(prompt, whole)  # a tokenizer may read a prompt's end together with what follows
        ids = [*whole, *end]
        over = max(0, len(ids) - max_length)
        sequences.append(ids[:1] + ids[1 + over :])
        leading.append(max(0, read - 1 - over))
    return sequences, leading


def shared_begin(one: Sequence[int], other: Sequence[int]) -> int:
    """How many leading ids two sequences share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (first, second) in pairs if first != second), min(len(one), len(other)))
