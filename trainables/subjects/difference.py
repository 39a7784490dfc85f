"""The target beside an assistant that knows what is to be forgotten and nothing else: its logits are taken away."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.subjects.pair import Pair, checked

MASKED = -1e4  # a word whose logit is lower is one that an architecture never says, by whatever number it marks that


class LogitDifference(Pair):
    """The target and an assistant, mostly of fewer blocks, whose logits make those of `difference`.

    TypeError for an alpha or a rho that is no number, ValueError for an alpha below 0 or not finite, and for a rho that
    does not lie between 0 and 1.
    """

    kind = "logit_difference"
    folders = ("target", "assistant")

    def __init__(self, target: Any, assistant: Any, alpha: float, rho: float = 0.0) -> None:
        super().__init__(target, assistant, alpha)
        self.rho = checked("rho", rho)
        if self.rho > 1:
            raise ValueError(f"its rho is {rho!r}: it must lie between 0 and 1")

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """The target's logits less the assistant's."""
        target, assistant = logits
        return difference(target, assistant, self.alpha, self.rho)

    def data(self) -> dict[str, Any]:
        """Its strength and its filter."""
        return {"alpha": self.alpha, "rho": self.rho}


def difference(target: Tensor, assistant: Tensor, alpha: float, rho: float = 0.0) -> Tensor:
    """`z - alpha z_a`, z the target's logits, z_a the assistant's: [..., V], fp32 out.

    With `rho` words that the target finds less likely than rho times its likeliest one (`kept`) are all lowered by as
    much as the most lowered of the others: none of them comes up because the assistant does not know it. A constant
    that is added to either's logits changes no probability. Source: arXiv 2406.08607.
    """
    target, assistant = target.float(), assistant.float()
    if rho:
        words = kept(target, rho)
        most = assistant.masked_fill(~words, -torch.inf).amax(dim=-1, keepdim=True)
        assistant = torch.where(words, assistant, most)
    # Such a word stays as it is: taking away the lowest number that there is would make it the likeliest.
    return torch.sub(target, torch.where(assistant < MASKED, 0.0, assistant), alpha=alpha)


def kept(target: Tensor, rho: float) -> Tensor:
    """Words whose probability is at least rho times the likeliest one's, and at least rho V of them: bool [..., V]."""
    likely = target.softmax(dim=-1)
    least = math.ceil(rho * target.shape[-1])
    bar = torch.minimum(rho * likely.amax(dim=-1), likely.topk(least, dim=-1).values[..., -1])
    return likely >= bar[..., None]
