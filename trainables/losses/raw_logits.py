"""MUSE's losses on raw logits, as its public code has them: kept to reproduce the table of arXiv 2407.06460 alone.

Neither is what it is called after: logits are not normalised, so a constant added to all logits of a position, which
changes no probability, changes both. Logits are [B, T, V] of any floating dtype, `mask` [B, T] is 1 at positions with a
target. As in `trainables.losses.logits` all is fp32 and by chunks of positions.
"""

from torch import Tensor
from torch.nn.functional import softplus

from trainables.losses.logits import CHUNK, by_chunk


def klr_muse(student_logits: Tensor, target_logits: Tensor, mask: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """`sum_{t,v} e^{z0} (z0 - z)` per sequence, z0 the target's logits: [B]; unbounded below.

    Its gradient on z is `-e^{z0}` wherever z is, so nothing holds z at z0; the largest logits outweigh all others.
    """
    return (by_chunk(_raw_divergence, student_logits, target_logits, chunk=chunk) * mask).sum(-1)


def npo_muse(student_logits: Tensor, target_logits: Tensor, *, beta: float = 0.1, chunk: int = CHUNK) -> Tensor:
    """`(2/b) mean_v log(1 + e^{b (z - z0)})` per position, z0 the target's logits: [B, T].

    It never looks at the label. Gradient on each logit `2 sigmoid(b (z - z0)) / V`: at the start the same on all of
    them, a direction in which no probability changes.
    """

    def piece(student: Tensor, target: Tensor) -> Tensor:
        return 2 / beta * softplus(beta * (student.float() - target.float())).mean(-1)

    return by_chunk(piece, student_logits, target_logits, chunk=chunk)


def _raw_divergence(student: Tensor, target: Tensor) -> Tensor:
    return (target.float().exp() * (target.float() - student.float())).sum(-1)
