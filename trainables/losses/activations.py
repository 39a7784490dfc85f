"""Losses on hidden states: pure functions of the residual stream behind a block, [B, T, d]; one value a token out."""

import torch
from torch import Tensor


def towards(hidden: Tensor, direction: Tensor, length: float) -> Tensor:
    """Mean square distance of each hidden state to `length * direction`, over its d numbers: [B, T], fp32.

    RMU's forget loss, Li et al. 2024, arXiv 2403.03218; `direction` [d] is a unit vector.
    """
    return (hidden.float() - length * direction).square().mean(-1)


def apart(hidden: Tensor, frozen: Tensor) -> Tensor:
    """Mean square distance of each hidden state to the frozen model's, over its d numbers: [B, T], fp32."""
    return (hidden.float() - frozen.float()).square().mean(-1)


def random_direction(size: int, *, seed: int) -> Tensor:
    """A unit vector of numbers drawn uniformly from [0, 1), so in one orthant: [d] fp32, as RMU's paper has it."""
    drawn = torch.rand(size, generator=torch.Generator().manual_seed(seed))
    return drawn / drawn.norm()
