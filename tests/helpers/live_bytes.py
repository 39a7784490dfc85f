"""The bytes of tensors that are alive, and the most there ever were, while a block runs."""

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Counts every storage that an operation inside the block makes, once, until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._seen: dict[int, Any] = {}

    def add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        if key not in self._seen:
            self._seen[key] = weakref.ref(storage, lambda _: self._free(key, size))
            self.now += size
            self.most = max(self.most, self.now)

    def _free(self, key: int, size: int) -> None:
        self.now -= size
        self._seen.pop(key, None)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self.add(leaf)
        return out


def size(tensors: Iterable[torch.Tensor]) -> int:
    """The bytes of some tensors' storages."""
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors)
