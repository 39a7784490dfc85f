"""The forget loss that makes logits flat: no word is more likely than another, whichever was to be forgotten.

Logits are [B, T, V] of any floating dtype. As in `trainables.losses.logits` all is fp32 and by chunks of positions.
"""

from torch import Tensor

from trainables.losses.logits import CHUNK, by_chunk


def flattening(logits: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """`(max_v z_v - mean_v z_v)^2` per position: [B, T]; 0 where all words are as likely.

    Unmoved by adding a constant to the logits of a position. Source: Entesari et al. 2025, arXiv 2506.05314.
    """
    return by_chunk(_height, logits, chunk=chunk)


def _height(logits: Tensor) -> Tensor:
    z = logits.float()
    return (z.amax(-1) - z.mean(-1)).square()
