"""Weights that are changed for a while: behind the block they are what they were, to the bit, also after an error."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor


@contextmanager
def put_back(weights: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Gives a copy of each weight, which is put back in its place behind the block."""
    kept = [weight.detach().clone() for weight in weights]
    try:
        yield kept
    finally:
        for weight, own in zip(weights, kept, strict=True):
            weight.detach().copy_(own)
