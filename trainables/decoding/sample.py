"""Sampling at temperature 1: what a model writes behind prompts, drawn from its own distribution, the same of one seed.

A row's draws hang on the seed and its number alone, not on the batch that it stands in: to each token's logit a Gumbel
draw is added, and the largest wins, which is a draw from the softmax.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.decoding.generate import written


def sample(
    subject: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    seed: int,
    batch_size: int = 32,
    decode: str = "shared",
) -> list[list[int]]:
    """The new token ids of each prompt, up to and with the end-of-sequence token if it came.

    Arguments are those of `greedy`, and a seed below 2^32. ValueError for an empty prompt, and for max_new_tokens or
    batch_size below 1.
    """
    draws = [torch.Generator().manual_seed((seed << 31) + i) for i in range(len(prompts))]

    def choose(logits: Tensor, rows: Sequence[int]) -> Tensor:
        return _drawn(logits, [draws[row] for row in rows])

    return written(
        subject, prompts, choose, max_new_tokens=max_new_tokens, batch_size=batch_size, stop=None, decode=decode
    )


def _drawn(logits: Tensor, draws: Sequence[torch.Generator]) -> Tensor:
    """A token of each row [B], of logits [B, V]."""
    size = logits.shape[-1]
    noise = torch.stack([torch.rand(size, generator=row, dtype=torch.float64) for row in draws])
    gumbel = -torch.log(-torch.log(noise.clamp(min=1e-300)))
    return (logits.double().cpu() + gumbel).argmax(dim=-1).to(logits.device)
