"""Weights between the target and what was trained: the mixing path, and adapters taken into the weights they stand by.

    origin = set_aside(theta)                                  # before a step is taken
    with merged(student): ...                                  # an ordinary model, whatever was trained of it
    yield from mix(models, origin, settings, run, state)       # (1 - a) target + a unlearned, at every a

A model is changed in place for the length of a block, and comes back to the bit. Source of the path: arXiv 2406.09179.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from trainables.method import Candidate, Evaluated, Record, Run, State
from trainables.settings import Descent
from trainables.training.adapters import NAME, adapters
from trainables.training.parallel import local
from trainables.training.sweep import go_along_
from trainables.training.teacher import make_teacher

MIX = "mix"  # the axis: a, the share of what was trained


def mix(
    models: Mapping[str, Any], origin: Sequence[Tensor], settings: Descent, run: Run, state: State
) -> Iterator[Record]:
    """Candidates of every role at a = k / (mixes + 1), but for those that were scored before.

    The first model is the one that was trained; `origin` is what its weights, and those of the others, began as.
    """
    student = next(iter(models.values()))
    done = max(0, run.evaluated - (settings.evaluations - settings.mixes))
    for number in range(done + 1, settings.mixes + 1):
        share = number / (settings.mixes + 1)
        for role, model in models.items():
            with _mixed(model, student, origin, share):
                yield Candidate(at=share, role=role, subject=model, axis=MIX)
        yield Evaluated(state=state if number < settings.mixes else None)


@contextmanager
def merged(model: Any, strength: float = 1.0) -> Iterator[None]:
    """The model as an ordinary one for the length of a block: its matrices are W + strength scale B A, in fp32.

    W may be shared with other models: none but this one is to be run meanwhile. It waits on the host.
    """
    places = adapters(model)
    weights = [layer.base_layer.weight for _, _, layer in places]
    kept = set_aside(weights)
    try:
        for holder, name, layer in places:
            _add_product_(layer, strength)
            setattr(holder, name, layer.base_layer)
        yield
    finally:
        for holder, name, layer in places:
            setattr(holder, name, layer)
        _put_back_(weights, kept)


@torch.no_grad()
def fold(model: Any) -> None:
    """Take a model's adapters into its weights for good; a model that shares these keeps its own.

    One in shards stays as it is.
    """
    for holder, name, layer in adapters(model):
        weight = layer.base_layer.weight
        if isinstance(weight, DTensor):
            return
        layer.base_layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
        _add_product_(layer, 1.0)
        setattr(holder, name, layer.base_layer)


def folded(model: Any) -> Any:
    """A copy of a model that has its adapters in weights of its own; all other frozen ones are shared with it."""
    copy = make_teacher(model)
    fold(copy)
    return copy


def set_aside(weights: Sequence[Tensor]) -> list[Tensor]:
    """A copy of this worker's part of each weight, on the host."""
    return [weight.detach().to("cpu", copy=True) for weight in local(weights)]


@contextmanager
def _mixed(model: Any, student: Any, origin: Sequence[Tensor], share: float) -> Iterator[None]:
    if adapters(model):
        with merged(model, share):  # of B A: a share of B and of A both would be another matrix
            yield
        return
    pairs = zip(student.parameters(), model.parameters(), strict=True)
    weights = [weight for trained, weight in pairs if trained.requires_grad]
    kept = set_aside(weights)
    try:
        go_along_(local(weights), origin, kept, share)
        yield
    finally:
        _put_back_(weights, kept)


@torch.no_grad()
def _add_product_(layer: Any, strength: float) -> None:
    """`W <- W + strength scale B A`, in place; of weights in shards, every worker its own part."""
    layer.base_layer.weight.add_(layer.get_delta_weight(NAME), alpha=strength)


@torch.no_grad()
def _put_back_(weights: Sequence[Tensor], kept: Sequence[Tensor]) -> None:
    for weight, value in zip(local(weights), kept, strict=True):
        weight.copy_(value)
