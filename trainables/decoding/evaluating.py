"""Models put in evaluation mode, with or without autograd, for as long as a `with` block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def evaluating(*models: Any) -> Iterator[None]:
    """No dropout and no autograd inside the block; the models' training flags are as before after it."""
    with without_dropout(*models), torch.inference_mode():
        yield


@contextmanager
def without_dropout(*models: Any) -> Iterator[None]:
    """No dropout inside the block; the models' training flags are as before after it."""
    training = [model.training for model in models]
    for model in models:
        model.eval()
    try:
        yield
    finally:
        for model, before in zip(models, training, strict=True):
            model.train(before)
