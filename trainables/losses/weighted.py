"""Weighted ascent: log-likelihood per token, each weighted by its own probability, which takes no gradient.

The weight is a number to the optimizer: what is lowered is the log-likelihood, faster or slower, and the value by
itself says little. `log_p` is [B, T] fp32, from `trainables.losses.logits.token_log_probs`.
"""

from torch import Tensor


def wga(log_p: Tensor, *, beta: float = 1.0) -> Tensor:
    """Weighted gradient ascent per token, `p^b log p`: [B, T]. Gradient weight on log p: `p^b`.

    Source: Wang et al. 2025, arXiv 2502.19301.
    """
    return (beta * log_p).exp().detach() * log_p


def satimp(log_p: Tensor, *, beta1: float = 5.0, beta2: float = 1.0) -> Tensor:
    """Saturation and importance weighted ascent per token, `p^b1 (1 - p)^b2 log p`: [B, T].

    Gradient weight on log p: `p^b1 (1 - p)^b2`, which is 0 at p = 1: what is known by heart does not move. Source:
    Yang et al. 2025, arXiv 2505.11953.
    """
    unlikelihood = -log_p.expm1()  # 1 - p, exact near p = 1 too
    return ((beta1 * log_p).exp() * unlikelihood.pow(beta2)).detach() * log_p
