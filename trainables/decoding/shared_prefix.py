"""Attention of many rows over ONE copy of a shared prefix, and the cache of what the rows have of their own.

Copying a few-shot prefix of 270 tokens into the cache of each row makes a step of a small model memory bound
(37 ms for 100 rows of a 1M-parameter Llama on one core, with transformers' own cache; about 12 ms here).
Exact up to rounding: a softmax over [prefix, own] keys does not care where the keys are kept. It is for models that
attend plainly (subjects/causal.py) and pass keyword arguments down; every other takes the general path of generate.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.cache_utils import Cache

_NAME = "lethe_shared_prefix"

Prefix = list[tuple[Tensor, Tensor]]  # a layer: keys and values, [kv heads, P, head size] each


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    shared_prefix: Prefix | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Causal attention for transformers: query [B, H, Q, D], key and value [B, Hkv, K, D] -> [B, Q, H, D]."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if shared_prefix is None:
        grouped = query.shape[1] != key.shape[1]
        out = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, scale=scale, enable_gqa=grouped
        )
    else:
        out = _with_prefix(query * scale, key, value, attention_mask, shared_prefix[module.layer_idx])
    return out.transpose(1, 2).contiguous(), None


def _with_prefix(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, prefix: tuple[Tensor, Tensor]
) -> Tensor:
    far_keys, far_values = prefix
    rows, heads, length, size = query.shape
    kv, width = far_keys.shape[:2]
    query = query.reshape(rows, kv, -1, size)  # [B, Hkv, G*Q, D]
    own = query @ key.transpose(-1, -2)  # [B, Hkv, G*Q, K]
    if mask is not None:
        own = (own.view(rows, kv, -1, length, own.shape[-1]) + mask[:, :, None]).view_as(own)
    # All rows' queries against the one prefix, a single product a head; heads lead from here on.
    far = query.transpose(0, 1).reshape(kv, -1, size) @ far_keys.transpose(-1, -2)  # [Hkv, B*G*Q, P]
    near = own.transpose(0, 1).reshape(kv, far.shape[1], -1)  # [Hkv, B*G*Q, K]
    weights = torch.cat([far, near], dim=-1).softmax(dim=-1)
    near = weights[..., width:].view(kv, *own.shape[:1], *own.shape[2:]).transpose(0, 1) @ value
    out = (weights[..., :width] @ far_values).view(kv, rows, -1, size).transpose(0, 1) + near
    return out.reshape(rows, heads, length, size)


class RowCache(Cache):
    """Keys and values of the rows' own tokens, in room taken once: nothing is copied at a step."""

    def __init__(self, room: int) -> None:
        super().__init__(layers=[])
        self.room = room
        self.length = 0
        self.stored: list[tuple[Tensor, Tensor]] = []

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes [B, Hkv, Q, D] behind the tokens that are there and gives the keys and values so far."""
        rows, heads, new, size = key_states.shape
        if layer_idx == len(self.stored):
            self.stored.append(
                (
                    key_states.new_empty(rows, heads, self.room, size),
                    value_states.new_empty(rows, heads, self.room, value_states.shape[-1]),
                )
            )
        keys, values = self.stored[layer_idx]
        end = self.length + new
        keys[:, :, self.length : end] = key_states
        values[:, :, self.length : end] = value_states
        return keys[:, :, :end], values[:, :, :end]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """How many tokens a row has of its own, padding counted."""
        return self.length

    def keep(self, index: Tensor) -> None:
        """Drops the rows that are not in `index`."""
        self.stored = [(keys[index], values[index]) for keys, values in self.stored]

    def take(self, other: "RowCache", index: Tensor) -> None:
        """Begins with what the rows of another cache in `index` have so far, one that is there twice as two rows."""
        self.length = other.length
        self.stored = [(self._taken(keys, index), self._taken(values, index)) for keys, values in other.stored]

    def _taken(self, there: Tensor, index: Tensor) -> Tensor:
        room = there.new_empty(len(index), there.shape[1], self.room, there.shape[3])
        room[:, :, : self.length] = there[index, :, : self.length]
        return room


@contextmanager
def shared_prefix_attention(model: Any) -> Iterator[None]:
    """The model attends by this file's function inside the block, and as before after it."""
    AttentionInterface.register(_NAME, _attend)
    before = model.config._attn_implementation
    model.config._attn_implementation = _NAME
    try:
        yield
    finally:
        model.config._attn_implementation = before
