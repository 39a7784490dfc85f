"""Forget losses that give the model another distribution to learn: cross-entropy to it, per position.

Logits are [B, T, V] of any floating dtype, `targets` [B, T] the tokens to be forgotten, negative at padding, where a
loss is 0. As in `trainables.losses.logits` all is fp32 and by chunks of positions.
"""

import torch
from torch import Tensor

from trainables.losses.logits import CHUNK, by_chunk


def undial(
    logits: Tensor, reference_logits: Tensor, targets: Tensor, *, strength: float = 10.0, chunk: int = CHUNK
) -> Tensor:
    """Cross-entropy to `q = softmax(z_ref - strength [v = target])`, the reference with the target lowered: [B, T].

    The reference is the initial model. Gradient on the logits: `p - q`, so it ends where p is q. Source: Dong et al.
    2024, arXiv 2402.10052.
    """

    def piece(logits: Tensor, reference_logits: Tensor, targets: Tensor) -> Tensor:
        lowered = reference_logits.detach().float() - strength * _at(targets, logits.shape[-1])
        return _cross_entropy(lowered.softmax(-1), logits, targets)

    return by_chunk(piece, logits, reference_logits, targets, chunk=chunk)


def ceu(logits: Tensor, targets: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """Cross-entropy to the model's own distribution without the target, `q = p / (1 - p_y)` elsewhere: [B, T].

    q takes no gradient. Gradient on the logits: `p_y` at the target y, `-p_v p_y / (1 - p_y)` elsewhere. q is a softmax
    over the other words, never 0/0, also where p_y is 1 in fp32. Source: Yang 2025, arXiv 2503.01224.
    """
    return by_chunk(_without_target, logits, targets, chunk=chunk)


def towards(logits: Tensor, words: Tensor, shares: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """Cross-entropy to a distribution over few words, `-sum_k q_k log p(w_k)`: [B, T].

    `words` [B, T, K] are ids and `shares` [B, T, K] their probabilities q, which add up to 1; gradient `p - q`.
    """

    def piece(logits: Tensor, words: Tensor, shares: Tensor) -> Tensor:
        return -(shares * torch.log_softmax(logits.float(), dim=-1).gather(-1, words)).sum(-1)

    return by_chunk(piece, logits, words, shares, chunk=chunk)


def _without_target(logits: Tensor, targets: Tensor) -> Tensor:
    others = logits.detach().float().masked_fill(_at(targets, logits.shape[-1]), -torch.inf)
    return _cross_entropy(others.softmax(-1), logits, targets)


def _at(targets: Tensor, vocabulary: int) -> Tensor:
    """Whether a word is a position's target: [B, T, V]; nowhere at padding."""
    return targets.unsqueeze(-1) == torch.arange(vocabulary, device=targets.device)


def _cross_entropy(q: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
    value = -(q * torch.log_softmax(logits.float(), dim=-1)).sum(-1)
    return value.masked_fill(targets < 0, 0.0)
