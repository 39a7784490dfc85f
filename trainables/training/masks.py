"""Masks: which of the weights that a method trains move at all; the others keep the target's bits, whatever happens.

    keep = chosen(named, settings, gradient)       # a mark for each weight: True where it moves
    mask = Mask(weights, keep)
    ...                                            # an optimizer's step, with its momentum and weight decay
    mask.hold()

What is masked is the update, and not the gradient: weight decay moves what has no gradient. Source: Jia et al. 2024,
arXiv 2410.17509 (WAGLE), whose baselines the other masks are.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from trainables.failures import NoSuchWeights
from trainables.settings import Descent

MLP_WORDS = ("mlp", "ffn", "feed_forward", "fc1", "fc2", "experts")  # in the names of weights
INFINITY = 0x7F800000  # as the bits of an fp32, which are ordered as the numbers are from 0 on
Gradient = Callable[[], list[Tensor]]


class Mask:
    """Weights of which some stay as they are now."""

    def __init__(self, weights: Sequence[Tensor], keep: Sequence[Tensor]) -> None:
        """`keep` marks, for each of the weights, what may move."""
        self._parts = [
            (weight, moves, weight.detach().clone())
            for weight, moves in zip(weights, keep, strict=True)
            if not bool(moves.all())
        ]

    @torch.no_grad()
    def hold(self) -> None:
        """Put back what is not to move, in place."""
        for weight, moves, origin in self._parts:
            weight.copy_(torch.where(moves, weight, origin))


def chosen(named: Mapping[str, Tensor], settings: Descent, *, forget: Gradient, retain: Gradient) -> list[Tensor]:
    """What moves of each of the trainable weights, by `mask`: a share of `mask_density` of all of them as one pool.

    `forget` and `retain` give the mean gradient of cross-entropy on each of these weights, where they are asked for. Of
    weights that are equal at the edge of the share all move. NoSuchWeights where none is the MLP's.
    """
    weights = [weight.detach() for weight in named.values()]
    if settings.mask == "mlp":
        return _of_mlp(named)
    if settings.mask == "random":
        g = torch.Generator().manual_seed(settings.seed)
        values = [torch.rand(weight.shape, generator=g).to(weight.device) for weight in weights]
    elif settings.mask == "magnitude":
        values = [weight.abs() for weight in weights]
    elif settings.mask == "forget_gradient":
        values = [gradient.abs() for gradient in forget()]
    else:
        values = attribution(weights, forget(), retain(), mu=settings.mask_mu)
    return largest(values, settings.mask_density)


def attribution(
    weights: Sequence[Tensor], forget: Sequence[Tensor], retain: Sequence[Tensor], *, mu: float
) -> list[Tensor]:
    """How much a weight bears on what is to be forgotten, `|(theta - g_r / mu) g_f|`; mu = inf leaves out what is kept.

    Gradients are of means over tokens; public code takes sums, with which mu hangs on how much text there is.
    """
    triples = zip(weights, forget, retain, strict=True)
    return [((weight - kept / mu) * gradient).abs() for weight, gradient, kept in triples]


def largest(values: Sequence[Tensor], share: float) -> list[Tensor]:
    """A mark at the largest of all values, which are fp32 and not negative: a share of them, and what equals the last.

    The edge is found by halving between bit patterns, without sorting and without another copy of the values.
    """
    count = round(share * sum(value.numel() for value in values))
    bits = [value.contiguous().view(torch.int32) for value in values]
    low, high = (0, INFINITY) if count else (INFINITY + 1, INFINITY + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(int((pattern >= middle).sum()) for pattern in bits) >= count:
            low = middle
        else:
            high = middle - 1
    return [pattern >= low for pattern in bits]


def _of_mlp(named: Mapping[str, Tensor]) -> list[Tensor]:
    found = [any(word in part for part in name.lower().split(".") for word in MLP_WORDS) for name in named]
    if not any(found):
        raise NoSuchWeights("mask is mlp: none of the weights that are trained is named as an MLP's")
    return [
        torch.full_like(weight, of_mlp, dtype=torch.bool) for weight, of_mlp in zip(named.values(), found, strict=True)
    ]
