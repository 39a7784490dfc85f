"""Hidden states behind a block, by a forward pass that leaves out later blocks and nearly all of the head."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trainables.failures import NoSuchWeights
from trainables.method import Sequences
from trainables.training.data import collate
from trainables.training.descend import Forward
from trainables.training.trainable import blocks_of


def behind_block(model: Any, number: int) -> Forward:
    """A forward pass whose outcome is the residual stream behind a block of such a model, from 0: [B, T - 1, d].

    Position t holds the hidden state of token t + 1, the one that is a target there. NoSuchWeights where the model has
    no such block.
    """
    count = len(blocks_of(model))
    if number >= count:
        raise NoSuchWeights(f"layer is {number}: the model has {count} blocks, from 0")

    def forward(model: Any, ids: Tensor, attention: Tensor | None) -> Tensor:
        seen: list[Any] = []
        with cut_behind(model, number) as block:
            handle = block.register_forward_hook(lambda module, given, out: seen.append(out))
            try:
                model(input_ids=ids, attention_mask=attention, use_cache=False, logits_to_keep=1)
            finally:
                handle.remove()
        (out,) = seen
        return (out[0] if isinstance(out, tuple) else out)[:, 1:]

    return Forward(forward, share=(number + 1) / count)


@contextmanager
def cut_behind(model: Any, number: int) -> Iterator[nn.Module]:
    """The model without its blocks behind one, for the length of the block; gives that one."""
    blocks = blocks_of(model)
    holder, name, whole = _place_of(model, blocks[0])
    setattr(holder, name, whole[: number + 1])
    try:
        yield blocks[number]
    finally:
        setattr(holder, name, whole)


def _place_of(model: Any, first: nn.Module) -> tuple[nn.Module, str, nn.ModuleList]:
    """Where a model holds the list of its blocks, known by the first of them: the holder, the name there, the list."""
    return next(
        (holder, name, child)
        for holder in model.modules()
        for name, child in holder.named_children()
        if isinstance(child, nn.ModuleList) and len(child) and child[0] is first
    )


@torch.no_grad()
def mean_states(model: Any, sequences: Sequences, *, batch_size: int, pad: int) -> Tensor:
    """The mean over its tokens of each sequence's last hidden states, without dropout: [N, d] fp32, on the host."""
    means = []
    model.eval()
    for first in range(0, len(sequences), batch_size):
        ids, mask = (t.to(model.device) for t in collate(sequences[first : first + batch_size], pad=pad))
        states = model(input_ids=ids, attention_mask=mask, use_cache=False, output_hidden_states=True)
        seen = mask[:, :, None].float()  # [B, T, 1]
        means.append(((states.hidden_states[-1].float() * seen).sum(1) / seen.sum(1)).cpu())
    return torch.cat(means)
