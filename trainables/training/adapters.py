"""Adapters (LoRA, by peft): each matrix W of attention and MLP becomes W + scale B A, and only A and B are trained.

A is drawn by the seed, B begins as 0: the model begins as the target, to the bit. There is no dropout, so a pass means
the same in training, as a reference and in scoring; weight decay on A and B pulls to the target. Source: Hu et al.
2021, arXiv 2106.09685. Weights that lie in no such layer, as those of experts in one tensor, stay as they are.
"""

from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from trainables.failures import NoSuchWeights

Place = tuple[nn.Module, str, Any]  # of an adapter: the module that holds it, its name there, and itself


def inject(model: Any, rank: int, scale: float, seed: int) -> None:
    """Put an adapter into every layer whose matrix is trainable, and freeze all but the adapters.

    NoSuchWeights where the model has no such layer. The random state is left as it was.
    """
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and module.weight.requires_grad
    }
    if not layers:
        raise NoSuchWeights(f"lora_rank must be 0: {type(model).__name__} has no layer that takes an adapter")
    with torch.random.fork_rng(devices=[]):
        from peft import LoraConfig, inject_adapter_in_model  # a second that no other run spends

        torch.default_generator.manual_seed(seed)
        transposed = any(isinstance(module, Conv1D) for module in layers.values())
        config = LoraConfig(r=rank, lora_alpha=scale * rank, target_modules=list(layers), fan_in_fan_out=transposed)
        inject_adapter_in_model(config, model)
    for _, _, layer in adapters(model):
        layer.cast_input_dtype_enabled = False  # autocast does so; else a pass in bf16 keeps one more copy of its input


def adapters(model: Any) -> list[Place]:
    """Where a model bears adapters: nowhere, if none were put into it."""
    if not hasattr(model, "peft_config"):
        return []
    children = [(holder, *child) for holder in model.modules() for child in holder.named_children()]
    return [place for place in children if hasattr(place[2], "lora_A")]
