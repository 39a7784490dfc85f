"""Losses on shifts of logits against a teacher's, of which the K highest are known: a logit less the mean of those K.

Student logits are [B, T, V] of any floating dtype, `words` [B, T, K] the teacher's likeliest, `values` [B, T, K] its
logits of these less their mean. As in `trainables.losses.logits` all is fp32 and by chunks of positions.
"""

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from trainables.losses.logits import CHUNK, by_chunk


def brought(logits: Tensor, words: Tensor, values: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """`sum_k Huber((z_k - mean_K z) - (t_k - mean_K t))` over the teacher's words: [B, T].

    Unmoved by adding a constant to the logits of a position; each part's gradient is at most 1.
    """
    return by_chunk(_brought, logits, words, values, chunk=chunk)


def pressed(logits: Tensor, words: Tensor, values: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """`sum_k relu((z_k - mean_K z) - (t - mean_K t))` over the student's K likeliest that the teacher lacks: [B, T].

    `t` is the teacher's K-th highest logit, the most that it can have had for them.
    """
    return by_chunk(_pressed, logits, words, values, chunk=chunk)


def _brought(logits: Tensor, words: Tensor, values: Tensor) -> Tensor:
    own = logits.gather(-1, words).float()
    return huber_loss(own - own.mean(-1, keepdim=True), values, reduction="none").sum(-1)


def _pressed(logits: Tensor, words: Tensor, values: Tensor) -> Tensor:
    mean = logits.gather(-1, words).float().mean(-1, keepdim=True)
    highest = logits.topk(words.shape[-1], dim=-1)
    known = torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, words, True).gather(-1, highest.indices)
    above = (highest.values.float() - mean - values.amin(-1, keepdim=True)).relu()
    return above.masked_fill(known, 0.0).sum(-1)
