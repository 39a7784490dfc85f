"""Which part of the forget set is unlearned where it is not all: the order in which its sequences are taken.

    order = ranked(copy_of_target, sequences, settings, MATRICES, pad=0)
    part = sorted(order[: share_of(len(sequences), 0.05)])         # of one order a smaller part is in a larger one

Source: Pal et al. 2025, arXiv 2504.10185.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.log_probs import token_logprobs
from trainables.method import Sequences
from trainables.scores.attacks import min_k
from trainables.settings import LORA, MATRICES, Descent
from trainables.training.data import collate
from trainables.training.hidden import mean_states
from trainables.training.trainable import choose, trainable_parameters

RANDOM = "random"  # no order of the target's: drawn by the seed
LOWEST = 20  # percent of a sequence's tokens by which min_k goes
COST = {"grand": 3.0, "moderate": 1.0, "min_k": 1.0}  # forward passes of a sequence


def ranked(model: Any, sequences: Sequences, settings: Descent, trainable: str, *, pad: int) -> list[int]:
    """The sequences, that which is taken first first, by `forget_selection`; of two that are equal the earlier.

    `grand`: the largest gradient of the mean cross-entropy first, by the norm over the weights that are trained.
    `moderate`: by how far a sequence's mean hidden state is from their centroid, that nearest to the median first.
    `min_k`: the lowest mean of the lowest fifth of log-probabilities first. The model, a copy of the target, is not
    fit for training behind it.
    """
    if settings.forget_selection == "grand":
        values = -_gradient_norms(model, sequences, trainable, pad)
    elif settings.forget_selection == "moderate":
        values = off_median(mean_states(model, sequences, batch_size=settings.micro_batch_size, pad=pad))
    else:
        log_probs = token_logprobs(model, sequences, batch_size=settings.micro_batch_size)
        values = -np.array([min_k(values, LOWEST) for values in log_probs])
    return np.argsort(values, kind="stable").tolist()


def off_median(states: Tensor) -> np.ndarray:
    """How far each state's distance to the centroid is from the median of these distances: [N, d] -> [N]."""
    distances = (states.double() - states.double().mean(0)).norm(dim=-1).numpy()
    return abs(distances - np.median(distances))


def _gradient_norms(model: Any, sequences: Sequences, trainable: str, pad: int) -> np.ndarray:
    """The norm of the gradient of each sequence's mean cross-entropy; of adapters', that of what they stand beside."""
    norms = []
    model.eval()
    choose(model, MATRICES if trainable.startswith(LORA) else trainable)
    theta = trainable_parameters(model)
    for ids in sequences:
        row, _ = collate([ids], pad=pad)
        row = row.to(model.device)
        logits = model(input_ids=row, use_cache=False).logits[0, :-1].float()
        torch.nn.functional.cross_entropy(logits, row[0, 1:]).backward()
        found = [weight.grad for weight in theta if weight.grad is not None]
        norms.append(torch.stack(torch._foreach_norm(found)).norm().item())
        model.zero_grad()
    return np.array(norms)
