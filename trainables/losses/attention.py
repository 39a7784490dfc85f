"""Losses on attention: `weights` [B, T, A, K] are by how much each of A heads at a position reads each of K tokens.

They add up to 1 over the tokens, and are 0 at those that come later.
"""

import torch
from torch import Tensor


def read(weights: Tensor, importance: Tensor) -> Tensor:
    """How much of its attention a position gives to telling tokens, `mean_h sum_j a_hj k_j`: [B, T].

    `importance` [B, K] is k, between 0 and 1.
    """
    return (weights.float() * importance[:, None, None, :]).sum(-1).mean(-1)


def turned(weights: Tensor, target_weights: Tensor) -> Tensor:
    """`mean_h KL(a0_h || a_h)`, a0 the target's attention: [B, T]; 0 where nothing moved."""
    there, smallest = target_weights.float(), torch.finfo(torch.float32).tiny
    apart = there.clamp(min=smallest).log() - weights.float().clamp(min=smallest).log()
    return torch.where(there > 0, there * apart, 0.0).sum(-1).mean(-1)
