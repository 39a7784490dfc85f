"""The target beside a model that knows a text still better: what that one says more of is what is to be said less."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.subjects.subject import Subject


class Reinforced(Subject):
    """Two models, the target and a reinforced one, whose logits make those of `lowered`; twice the work at each token.

    `alpha` 0 is the target. TypeError for an alpha that is no number, ValueError for one below 0 or not finite.
    """

    kind = "reinforced"
    folders = ("target", "reinforced")

    def __init__(self, target: Any, reinforced: Any, alpha: float) -> None:
        if isinstance(alpha, bool) or not isinstance(alpha, int | float):
            raise TypeError(f"its alpha is {alpha!r}: it must be a number")
        if not (alpha >= 0 and math.isfinite(alpha)):
            raise ValueError(f"its alpha is {alpha!r}: it must be at least 0, and finite")
        self.models, self.alpha = (target, reinforced), float(alpha)

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """The target's logits, lowered where the reinforced model's are higher."""
        target, reinforced = logits
        return lowered(target, reinforced, self.alpha)

    def data(self) -> dict[str, Any]:
        """Its strength."""
        return {"alpha": self.alpha}


def lowered(target: Tensor, reinforced: Tensor, alpha: float) -> Tensor:
    """`z - alpha relu(z_re - z)`, z the target's logits, z_re the reinforced model's: [..., V], fp32 out.

    Source: arXiv 2310.02238, the logits of its generic predictions, as MUSE's baseline takes them.
    """
    target, reinforced = target.float(), reinforced.float()
    # Not relu: of a word that both models mask, by minus infinity, the difference is no number.
    rise = torch.where(reinforced > target, reinforced - target, 0.0)
    return torch.sub(target, rise, alpha=alpha)
