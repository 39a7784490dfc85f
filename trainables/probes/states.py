"""Hidden states behind each block of a subject's model, and what may be added to them for the length of a block.

Rows are padded on the right and read without a mask, as causal attention never looks there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.log_probs import PASS_TOKENS
from trainables.decoding.passes import FAST, Passes, runs
from trainables.subjects.subject import Ids, models_of, rows_read
from trainables.training.trainable import blocks_of

LAST, MEAN = "last", "mean"  # the state of a row's last token, or the mean over its tokens but the first


def only_model(subject: Any) -> Any:
    """The one model of a subject; ValueError where it is made of several, whose hidden states are not one's."""
    models = models_of(subject)
    if len(models) > 1:
        raise ValueError(f"the subject is made of {len(models)} models: it has no hidden states of its own")
    if not blocks_of(models[0]):
        raise ValueError(f"model of type {type(models[0]).__name__} has no blocks that are known")
    return models[0]


def block_states(
    subject: Any, rows: Sequence[Ids], of: str, *, batch_size: int = 32, passes: Passes = FAST
) -> np.ndarray:
    """The states [blocks, rows, d] behind each block in fp32, of each row's LAST token, or the MEAN of its tokens.

    Rows have at least 2 tokens; of what a subject reads before them nothing is counted.
    """
    kept: list[Tensor] = []
    order: list[int] = []
    model = only_model(subject)
    with evaluating(model):
        for chosen, ids, lengths in batches(model, subject, rows, batch_size, passes):
            own = torch.tensor([len(rows[i]) - 1 for i in chosen], device=ids.device)
            weights = _weights(of, lengths, own, ids.shape[1])  # [B, T, 1]
            kept.append(torch.stack(outputs(model, ids, partial(_pooled, weights=weights))))
            order += chosen
    found = torch.cat(kept, dim=1).numpy()
    return found[:, np.argsort(order)]


def _pooled(out: Tensor, weights: Tensor) -> Tensor:
    return (out.float() * weights).sum(dim=1).cpu()


def _weights(of: str, lengths: Tensor, own: Tensor, width: int) -> Tensor:
    places = torch.arange(width, device=lengths.device)
    if of == LAST:
        return (places == lengths[:, None] - 1).float()[..., None]
    inside = (places < lengths[:, None]) & (places >= (lengths - own)[:, None])
    return (inside.float() / own[:, None])[..., None]


def spread_of(subject: Any, rows: Sequence[Ids], block: int, *, batch_size: int = 32, passes: Passes = FAST) -> float:
    """The standard deviation of all numbers that come out of a block, over all tokens of some rows."""
    sums = np.zeros(3)
    model = only_model(subject)
    with evaluating(model):
        for _, ids, lengths in batches(model, subject, rows, batch_size, passes):
            inside = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
            sums += outputs(model, ids, partial(_moments, inside=inside))[block].numpy()
    n, whole, squares = sums
    return float(np.sqrt(max(squares / n - (whole / n) ** 2, 0.0)))


def next_logprobs(
    subject: Any,
    rows: Sequence[Ids],
    tokens: Sequence[int],
    *,
    block: int = 0,
    added: np.ndarray | None = None,
    batch_size: int = 32,
    passes: Passes = FAST,
) -> np.ndarray:
    """log p [rows] of a token behind each row; `added` [rows, d] goes to the row's last state behind a block."""
    found = np.empty(len(rows))
    model = only_model(subject)
    with evaluating(model):
        for chosen, ids, lengths in batches(model, subject, rows, batch_size, passes):
            places = (torch.arange(len(chosen), device=ids.device), lengths - 1)
            extra = None if added is None else torch.tensor(added[chosen], device=ids.device)

            def put(out: Tensor, places: Any = places, extra: Tensor | None = extra) -> Tensor:
                moved = out.clone()
                if extra is not None:
                    moved[places] += extra.to(out.dtype)
                return moved

            with changed(model, block, put):
                logits = model(ids, use_cache=False).logits[places].float()
            picked = torch.tensor([tokens[i] for i in chosen], device=ids.device)
            values = logits.gather(1, picked[:, None])[:, 0] - logits.logsumexp(dim=-1)
            found[chosen] = values.double().cpu().numpy()
    return found


def outputs(model: Any, ids: Tensor, take: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """What is taken of that which comes out of each block [B, T, d], as the trunk reads ids [B, T]."""
    seen: list[Tensor] = []

    def note(module: Any, given: Any, out: Any) -> None:
        seen.append(take(out[0] if isinstance(out, tuple) else out))

    handles = [block.register_forward_hook(note) for block in blocks_of(model)]
    try:
        model.base_model(ids, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _moments(out: Tensor, inside: Tensor) -> Tensor:
    values = out[inside].double()
    return torch.stack([torch.full_like(values, 1).sum(), values.sum(), values.square().sum()]).cpu()


@contextmanager
def changed(model: Any, block: int, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """What comes out of a block is what a function makes of it: a new tensor [B, T, d]."""

    def hook(module: Any, given: Any, out: Any) -> Any:
        return (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)

    handle = blocks_of(model)[block].register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def batches(
    model: Any, subject: Any, rows: Sequence[Ids], batch_size: int, passes: Passes
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """The numbers of some rows, what is read in their place [B, T], and how many tokens each has [B]."""
    read = rows_read(subject, rows)
    for run in runs(read, passes.texts):
        size = max(1, min(batch_size, PASS_TOKENS // max(map(len, read))))
        for first in range(0, len(run), size):
            chosen = run[first : first + size]
            lengths = [len(read[i]) for i in chosen]
            ids = [[*read[i], *[0] * (max(lengths) - len(read[i]))] for i in chosen]
            yield chosen, torch.tensor(ids, device=model.device), torch.tensor(lengths, device=model.device)
