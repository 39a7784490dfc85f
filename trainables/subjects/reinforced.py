"""The target beside a model that knows a text still better: what that one says more of is what is to be said less."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.subjects.pair import Pair


class Reinforced(Pair):
    """The target and a reinforced model, whose logits make those of `lowered`; twice the work at each token."""

    kind = "reinforced"
    folders = ("target", "reinforced")

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """The target's logits, lowered where the reinforced model's are higher."""
        target, reinforced = logits
        return lowered(target, reinforced, self.alpha)


def lowered(target: Tensor, reinforced: Tensor, alpha: float) -> Tensor:
    """`z - alpha relu(z_re - z)`, z the target's logits, z_re the reinforced model's: [..., V], fp32 out.

    Source: arXiv 2310.02238, the logits of its generic predictions, as MUSE's baseline takes them.
    """
    return torch.sub(target.float(), rise(target, reinforced), alpha=alpha)


def rise(target: Tensor, reinforced: Tensor) -> Tensor:
    """`relu(z_re - z)`: by how much the reinforced model's logits are higher, [..., V], fp32 out."""
    target, reinforced = target.float(), reinforced.float()
    # Not relu: of a word that both models mask, by minus infinity, the difference is no number.
    return torch.where(reinforced > target, reinforced - target, 0.0)
