"""Neurons of MLPs: the units of their hidden layers, what each gives to an answer, and the weights that are its own.

A neuron is one input of a block's `down_proj`. Its weights are a row of each matrix that makes it (gate and up), and a
column of `down_proj`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from trainables.training.trainable import layers_of_neurons


def contributions(model: Any, ids: Sequence[int], leading: int) -> Tensor:
    """What each neuron contributes to the answer that stands behind `leading` targets: [blocks, neurons] fp32.

    `max over the positions that predict the answer of h_n d log P(answer) / d h_n`, in the model's own mode.
    """
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        seen.append(given[0] if given[0].requires_grad else given[0].detach().requires_grad_(True))
        return (seen[-1],)

    handles = [down.register_forward_pre_hook(keep) for down, _ in layers_of_neurons(model)]
    try:
        row = torch.tensor([list(ids)], device=model.device)
        log_p = model(input_ids=row, use_cache=False).logits[0, leading:-1].float().log_softmax(-1)
        answer = log_p.gather(1, row[0, 1 + leading :, None]).sum()
        gradients = torch.autograd.grad(answer, seen)
    finally:
        for handle in handles:
            handle.remove()
    parts = [(hidden * gradient)[0, leading:-1] for hidden, gradient in zip(seen, gradients, strict=True)]  # [T, n]
    return torch.stack([part.detach().float().amax(0) for part in parts])


def top_neurons(values: Tensor, share: float) -> Tensor:
    """A mark at the largest of all neurons, one at least, the earlier first: [blocks, neurons]."""
    flat = values.flatten()
    order = flat.cpu().argsort(descending=True, stable=True)[: max(1, round(share * len(flat)))]
    marks = torch.zeros(len(flat), dtype=torch.bool)
    marks[order] = True
    return marks.view_as(values)


def weights_of_neurons(model: Any, marks: Tensor) -> list[Tensor]:
    """What moves of each trainable weight of such a model where only these neurons' own weights move."""
    own: dict[int, Tensor] = {}
    for (down, made), kept in zip(layers_of_neurons(model), marks.to(model.device), strict=True):
        own[id(down.weight)] = kept[None, :].expand_as(down.weight)
        for layer in made:
            own[id(layer.weight)] = kept[:, None].expand_as(layer.weight)
            if layer.bias is not None:
                own[id(layer.bias)] = kept
    return [own[id(weight)] for weight in model.parameters() if weight.requires_grad]
