"""Adapters (LoRA, by peft): each matrix W of attention and MLP becomes W + scale B A, and only A and B are trained.

A is drawn by the seed, B begins as 0: the model begins as the target, to the bit. There is no dropout, so a pass means
the same in training, as a reference and in scoring; weight decay on A and B pulls to the target. Source: Hu et al.
2021, arXiv 2106.09685. Weights that lie in no such layer, as those of experts in one tensor, stay as they are.
"""

from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from trainables.failures import NoSuchWeights

NAME = "default"  # of a layer's one adapter, as peft counts them
Place = tuple[nn.Module, str, Any]  # of an adapter: the module that holds it, its name there, and itself


def inject(model: Any, rank: int, scale: float, seed: int) -> None:
    """Put an adapter into every layer whose matrix is trainable, and freeze all but the adapters.

    NoSuchWeights where the model has no such layer. The random state is left as it was.
    """
    places = [place for place in _children(model) if _takes_one(place[2])]
    if not places:
        raise NoSuchWeights(f"lora_rank must be 0: {type(model).__name__} has no layer that takes an adapter")
    model.requires_grad_(False)
    device = next(model.parameters()).device  # an outline that only plans lies on none
    with torch.random.fork_rng(devices=[]), device if device.type == "meta" else nullcontext():
        from peft import LoraConfig  # a second that no other run spends
        from peft.tuners.lora import Linear  # not by names of layers, which peft rewrites for some architectures

        torch.default_generator.manual_seed(seed)
        for holder, name, layer in places:
            config = LoraConfig(r=rank, lora_alpha=scale * rank, fan_in_fan_out=isinstance(layer, Conv1D))
            adapter = Linear(layer, NAME, config, r=rank, lora_alpha=scale * rank)
            adapter.cast_input_dtype_enabled = False  # autocast does; else a pass in bf16 keeps its input once more
            setattr(holder, name, adapter)


def adapters(model: Any) -> list[Place]:
    """Where a model bears adapters: nowhere, if none were put into it."""
    return [place for place in _children(model) if hasattr(place[2], "lora_A")]


def _children(model: Any) -> list[Place]:
    return [(holder, *child) for holder in model.modules() for child in holder.named_children()]


def _takes_one(layer: Any) -> bool:
    return (
        type(layer) in (nn.Linear, Conv1D) and layer.weight.requires_grad
    )  # what derives from them computes otherwise
