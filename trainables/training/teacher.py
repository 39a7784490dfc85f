"""The mean teacher: an exponential moving average of the student, and the damping that pulls the student to it.

Both act on lists of matching fp32 tensors, without a model. `c` is the clip coefficient of the step,
`min(1, clip / gradient norm)`. Source: arXiv 2504.13388, algorithm of the mean teacher.
"""

import copy
from typing import Any

import torch
from torch import Tensor


def make_teacher(student: Any) -> Any:
    """Return the teacher at its start: a copy of the student that never takes a gradient.

    Parameters that the student keeps frozen are shared between the two: they never differ.
    """
    shared = {id(p): p for p in student.parameters() if not p.requires_grad}
    teacher = copy.deepcopy(student, dict(shared))
    for parameter in teacher.parameters():
        if id(parameter) not in shared:
            parameter.requires_grad_(False)
    return teacher.eval()


def clip_coefficient(norm: float, clip: float) -> float:
    """Return `min(1, clip / norm)` of the global gradient norm; NaN where the norm is."""
    return clip / norm if norm > clip or norm != norm else 1.0


@torch.no_grad()
def add_damping_(gradients: list[Tensor], student: list[Tensor], teacher: list[Tensor], strength: float) -> None:
    """`gradient += strength * (theta - phi)`, in place, after clipping; `strength` is `lambda * c`."""
    if strength == 0:
        return  # the frozen reference stays one, bit for bit
    torch._foreach_add_(gradients, torch._foreach_sub(student, teacher), alpha=strength)


@torch.no_grad()
def contract_(teacher: list[Tensor], student: list[Tensor], rate: float) -> None:
    """`phi <- (1 - rate) phi + rate theta`, in place, after the optimizer's step; `rate` is `delta * c`.

    The teacher has to be fp32: at delta = 0.005 the update is less than half a unit in the last place of a bf16
    teacher, which then never moves. ValueError for a teacher of lower precision.
    """
    low = {tensor.dtype for tensor in teacher} - {torch.float32, torch.float64}
    if low:
        raise ValueError(f"the teacher is {', '.join(map(str, low))}: its average needs torch.float32 or wider")
    if rate == 0:
        return
    torch._foreach_lerp_(teacher, student, rate)
