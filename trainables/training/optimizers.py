"""The optimizer of a run, and its learning rate at every step."""

import torch
from torch import Tensor

from trainables.settings import Descent

HELD = 0.01  # share of the rate that warm-up "held" holds


def make_optimizer(parameters: list[Tensor], settings: Descent) -> torch.optim.Optimizer:
    """SGD with momentum, without weight decay; or AdamW with betas (0.9, 0.95) and `weight_decay`."""
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=settings.lr, momentum=settings.momentum)
    return torch.optim.AdamW(parameters, lr=settings.lr, betas=(0.9, 0.95), weight_decay=settings.weight_decay)


def learning_rate(settings: Descent, step: int) -> float:
    """The rate of a step, counted from 1, with w = `warmup_steps`; without warm-up (w = 0) `lr` from the first on.

    "linear": lr * step / w up to step w. "held": a hundredth of `lr` up to step w + 1, then lr * (step - 1 - w) / w up
    to step 2w + 1, as in the public code of arXiv 2504.13388, which counts from 0 and does so for AdamW alone.
    """
    warmup = settings.warmup_steps
    if settings.warmup == "linear" or warmup == 0:
        return settings.lr * min(1.0, step / max(1, warmup))
    if step - 1 <= warmup:
        return HELD * settings.lr
    return settings.lr * min(1.0, (step - 1 - warmup) / warmup)


def set_learning_rate(optimizer: torch.optim.Optimizer, settings: Descent, step: int) -> float:
    """Set and return the learning rate of a step."""
    rate = learning_rate(settings, step)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate
