"""Attention of a model made flatter for the length of a pass, or looked at: which tokens each position reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trainables.failures import NoSuchWeights
from trainables.training.descend import Forward, to_logits
from trainables.training.hidden import cut_behind
from trainables.training.trainable import blocks_of


def smoothed(tau: float) -> Forward:
    """A pass to logits in which the logits of all attention are divided by `tau`; 1 is the plain pass, to the bit."""

    def forward(model: Any, ids: Tensor, attention: Tensor | None) -> Tensor:
        with _scaled(model, tau):
            return to_logits(model, ids, attention)

    return Forward(forward)


@contextmanager
def _scaled(model: Any, tau: float) -> Iterator[None]:
    """Divide the factor of attention's logits in every block; NoSuchWeights where a model bears none."""
    layers = attentions_of(model)
    before = [layer.scaling for layer in layers]
    try:
        for layer in layers:
            layer.scaling = layer.scaling / tau
        yield
    finally:
        for layer, scaling in zip(layers, before, strict=True):
            layer.scaling = scaling


def attentions_of(model: Any) -> list[Any]:
    """The layers of attention that multiply their logits by a number; NoSuchWeights where there is none."""
    found: list[nn.Module] = [
        module
        for module in model.modules()
        if hasattr(module, "layer_idx") and isinstance(getattr(module, "scaling", None), float)
    ]
    if not found:
        raise NoSuchWeights(f"{type(model).__name__} has no attention whose logits have a factor that could be changed")
    return found


def weights_in(model: Any, blocks: range) -> Forward:
    """A pass whose outcome is the attention of such a model in some of its blocks, all heads: [B, T - 1, heads, T].

    It leaves out the blocks behind them. Attention is computed in the way that keeps its weights, T x T of each head.
    """

    def forward(model: Any, ids: Tensor, attention: Tensor | None) -> Tensor:
        with cut_behind(model, blocks[-1]), _eager(model):
            out = model(
                input_ids=ids, attention_mask=attention, use_cache=False, output_attentions=True, logits_to_keep=1
            )
        return torch.cat([out.attentions[block] for block in blocks], dim=1)[:, :, :-1].transpose(1, 2)

    return Forward(forward, share=(blocks[-1] + 1) / len(blocks_of(model)))


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    before = model.config._attn_implementation
    model.config._attn_implementation = "eager"
    try:
        yield
    finally:
        model.config._attn_implementation = before
