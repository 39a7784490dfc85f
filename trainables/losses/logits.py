"""Forget losses and retain penalties: pure functions, tensors in, one value per token or per sequence out.

Nothing here averages, weighs or knows a model. B sequences, T positions that predict a next token, V words. Losses on
log-probabilities take `log_p` [B, T] fp32 from `token_log_probs`; losses on whole distributions take logits [B, T, V]
of any floating dtype. `mask` [B, T] is 1 at positions with a target and 0 at padding.

All of them compute in fp32 and in chunks of positions: a chunk is computed again in the backward pass, so no second
fp32 copy of [B, T, V] is ever alive, but where all of it is small. Paper: Klochkov 2025, "A mean teacher algorithm for
unlearning of language models", arXiv 2504.13388, unless another is named.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus
from torch.utils.checkpoint import checkpoint

CHUNK = 128  # positions of a sequence taken at once
SMALL = 2**22  # numbers of a batch's logits, 16 MB: of no more what the backward pass needs is kept, and not made again


def token_log_probs(logits: Tensor, targets: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """Return `log softmax(logits)[target]`, fp32 [B, T]; 0 where the target is negative (padding)."""
    return by_chunk(_gather_log_probs, logits, targets, chunk=chunk)


def nlul(log_p: Tensor, *, tol: float = 0.02, threshold: float = 0.0) -> Tensor:
    """Negative log-unlikelihood per token, `-log(1 + tol - p)`: [B, T].

    Its gradient weight on log p is `p / (1 + tol - p)`, alive as p -> 1 where `ll` and `npo` vanish. Tokens with p
    below `threshold` get weight 0.
    """
    value = -torch.log(tol - torch.expm1(log_p))
    return torch.where(log_p.exp() < threshold, torch.zeros_like(value), value) if threshold > 0 else value


def ll(log_p: Tensor) -> Tensor:
    """Log-likelihood per token, `log p` (minimising it is gradient ascent): [B, T]; unbounded below."""
    return log_p


def npo_sequence_sum(log_p: Tensor, reference_log_p: Tensor, mask: Tensor, *, beta: float = 0.1) -> Tensor:
    """Negative preference optimisation per sequence, `(2/b) log(1 + (P/P_ref)^b)`, P over the whole sequence: [B].

    The reference is the initial model. Gradient weight on log P: `2 sigmoid(b (log P - log P_ref))`.
    Source: Zhang et al. 2024, arXiv 2404.05868, eq. 3.
    """
    ratio = ((log_p - reference_log_p) * mask).sum(-1)
    return 2 / beta * softplus(beta * ratio)


def npo_sequence_mean(log_p: Tensor, reference_log_p: Tensor, mask: Tensor, *, beta: float = 0.1) -> Tensor:
    """NPO on the mean log-probability of a sequence's targets, not their sum: [B].

    The public code of arXiv 2504.13388 does so too, but divides by the length to which a micro-batch is padded, and
    lets a long sequence weigh more than a short one: the two are the same at equal lengths only. Here padding counts
    for nothing.
    """
    ratio = _sequence_mean(log_p - reference_log_p, mask)
    return 2 / beta * softplus(beta * ratio)


def simnpo(log_p: Tensor, mask: Tensor, *, beta: float = 2.5, gamma: float = 0.0) -> Tensor:
    """Reference-free NPO per sequence, `-(2/b) log sigmoid(-(b/len) log P - gamma)`: [B].

    Source: Fan et al. 2024, arXiv 2410.07163.
    """
    return -2 / beta * logsigmoid(-beta * _sequence_mean(log_p, mask) - gamma)


def mismatch(logits: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """`KL(uniform || p)` per position, `-log V - mean_v log p_v`: [B, T]. Source: Yao et al. 2023, arXiv 2310.10683."""
    return by_chunk(_uniform_kl, logits, chunk=chunk)


def kl(student_logits: Tensor, teacher_logits: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """`KL(p_teacher || p_student)` per position over the vocabulary: [B, T]."""
    return by_chunk(_teacher_kl, student_logits, teacher_logits, chunk=chunk)


def qkl(student_logits: Tensor, teacher_logits: Tensor, *, chunk: int = CHUNK) -> Tensor:
    """Second-order KL at the teacher, `1/2 d^T (diag(p) - p p^T) d`, d = student - teacher logits, p teacher: [B, T].

    Unmoved by adding a constant to the logits of a position. Its gradient on the student's logits is
    `(diag(p) - p p^T) d`.
    """
    return by_chunk(_quadratic_kl, student_logits, teacher_logits, chunk=chunk)


def gdr(log_p: Tensor) -> Tensor:
    """Cross-entropy on retain text per token, `-log p`: [B, T]. MUSE's GDR, arXiv 2407.06460."""
    return -log_p


def by_chunk(function: Callable[..., Tensor], *tensors: Tensor, chunk: int = CHUNK) -> Tensor:
    """Apply a per-position function to chunks of positions of [B, T, ...], each computed again in the backward pass.

    Where the first of them is SMALL, nothing is computed again: the same bits, sooner.
    """
    differentiates = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    if differentiates and tensors[0].numel() > SMALL:
        function = partial(checkpoint, function, use_reentrant=False, preserve_rng_state=False)
    pieces = zip(*(tensor.split(chunk, dim=1) for tensor in tensors), strict=True)
    return torch.cat([function(*piece) for piece in pieces], dim=1)


def _gather_log_probs(logits: Tensor, targets: Tensor) -> Tensor:
    log_p = torch.log_softmax(logits.float(), dim=-1)
    gathered = log_p.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return gathered.masked_fill(targets < 0, 0.0)


def _uniform_kl(logits: Tensor) -> Tensor:
    return -math.log(logits.shape[-1]) - torch.log_softmax(logits.float(), dim=-1).mean(-1)


def _teacher_kl(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    student = torch.log_softmax(student_logits.float(), dim=-1)
    teacher = torch.log_softmax(teacher_logits.float(), dim=-1)
    return (teacher.exp() * (teacher - student)).sum(-1)


def _quadratic_kl(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    p = torch.softmax(teacher_logits.float(), dim=-1)
    d = student_logits.float() - teacher_logits.float()
    d = d - (p * d).sum(-1, keepdim=True)  # the variance of d under p, in its stable form
    return 0.5 * (p * d * d).sum(-1)


def _sequence_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum(-1) / mask.sum(-1).clamp(min=1)
