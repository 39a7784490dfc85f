"""Forget and regularisation batches: token sequences, padding, and seeded sampling with replacement or in turn.

What is drawn together with what stands in sampling.py.

A batch is drawn by (seed, step) alone, so a run can start at any step and any worker can draw its share of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch

T = TypeVar("T")  # what stands for a token
FRACTION = 2  # the stream of draws that chooses a share of the forget set
IGNORED = -100  # the label of a position without a target (padding, and the position before the first token)


@dataclass(frozen=True)
class Read:
    """What a term reads: token sequences, of each how many targets at its beginning count for nothing, how it draws."""

    sequences: Sequence[Sequence[int]]
    leading: Sequence[int] = ()  # of each sequence; (): none is left out
    together: int = 1  # consecutive sequences that are drawn as one
    texts: Sequence[int] = ()  # of each draw, which text it is of; (): the sequences are the run's own


def chunk_texts(tokenizer: Any, texts: Sequence[str], *, max_length: int, long_texts: str = "split") -> list[list[int]]:
    """Tokenise texts into sequences of at most `max_length` tokens.

    A text that fits gives one sequence (a News article). A longer one (a book) is "split" into consecutive pieces,
    each of which begins with the begin token where the tokenizer puts one before a text; or "truncate" keeps its
    beginning alone. A last piece of a single token has no next-token target and is dropped.
    """
    return [ids for _, ids in cut_texts(tokenizer, texts, max_length=max_length, long_texts=long_texts)]


def cut_texts(
    tokenizer: Any, texts: Sequence[str], *, max_length: int, long_texts: str = "split"
) -> list[tuple[int, list[int]]]:
    """The sequences of `chunk_texts`, each behind the number of the text that it was cut from."""
    documents = list(enumerate(tokenizer(list(texts)).input_ids))
    if long_texts == "truncate":
        return [(row, ids[:max_length]) for row, ids in documents if len(ids) > 1]
    begin = tokenizer.bos_token_id
    return [(row, piece) for row, ids in documents for piece in pieces(ids, begin, max_length) if len(piece) > 1]


def pieces(ids: list[T], begin: T | None, length: int) -> list[list[T]]:
    """Consecutive pieces of a text, each led by the begin token that the text is led by."""
    head = ids[:1] if ids[:1] == [begin] else []
    rest, size = ids[len(head) :], length - len(head)
    return [head + rest[start : start + size] for start in range(0, len(rest), size)]


def collate(sequences: Sequence[Sequence[int]], *, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-pad sequences to one length: token ids [B, T] and attention mask [B, T], both int64."""
    length = max(len(ids) for ids in sequences)
    ids = torch.tensor([[*ids, *[pad] * (length - len(ids))] for ids in sequences])
    mask = torch.tensor([[1] * len(ids) + [0] * (length - len(ids)) for ids in sequences])
    return ids, mask


def next_token_targets(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the targets [B, T-1] of logits [B, T-1, V]: the next token, `IGNORED` where it is padding."""
    return ids[:, 1:].masked_fill(mask[:, 1:] == 0, IGNORED)


def sample_indices(count: int, *, size: int, seed: int, stream: int, step: int) -> list[int]:
    """Draw `size` of `count` sequences with replacement: a pure function of (seed, stream, step), the same everywhere.

    `stream` tells apart draws that have to be independent (0 forget, 1 regularisation). The public code of
    arXiv 2504.13388 samples with replacement too.
    """
    return np.random.default_rng((seed, stream, step)).integers(count, size=size).tolist()


def cyclic_indices(count: int, *, size: int, seed: int, stream: int, step: int) -> list[int]:
    """The next `size` of `count` sequences in turn, `step` from 1: a pure function of its arguments too.

    All `count` are taken once, in a shuffled order, before any is taken again; every round is shuffled anew.
    """
    places = [divmod((step - 1) * size + i, count) for i in range(size)]
    rounds = {n: np.random.default_rng((seed, stream, n)).permutation(count) for n in {n for n, _ in places}}
    return [int(rounds[n][place]) for n, place in places]


def choose_fraction(count: int, fraction: float, *, seed: int) -> list[int]:
    """Draw a share of `count` sequences, rounded up, in their order; of one seed the smaller is part of the larger."""
    order = np.random.default_rng((seed, FRACTION)).permutation(count)
    return sorted(order[: share_of(count, fraction)].tolist())


def share_of(count: int, fraction: float) -> int:
    """How many a share of `count` sequences is, rounded up."""
    return math.ceil(round(fraction * count, 9))
