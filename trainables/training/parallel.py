"""How a run lies on its workers: models whole on each of them (DDP), or cut into shards (FSDP2).

Every worker computes its part of each batch; gradients are summed over the workers, never averaged, since losses are
already normalised over the global batch. The teacher's shards are cut as the student's are, so its average and the
damping are local and send nothing.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from trainables.settings import Descent
from trainables.training.trainable import blocks_of
from trainables.world import World

T = TypeVar("T")  # what a pass finds of a row


def lay_out(models: Sequence[Any], settings: Descent, world: World) -> None:
    """Put models on this worker's device, in place; with FSDP only this worker's shard of each.

    The first is the one that is trained.
    """
    if settings.checkpointing:
        models[0].activation_checkpointing_enable({"use_reentrant": False})
    for model in models:
        if settings.parallel == "fsdp" and world.size > 1:
            _shard(model, settings, world)
        else:
            model.to(world.device)


def _shard(model: Any, settings: Descent, world: World) -> None:
    """Shard every transformer block, and what is left as one more unit."""
    mesh = init_device_mesh(world.device.type, (world.size,))
    low = torch.bfloat16 if settings.precision == "bf16" else None
    policy = MixedPrecisionPolicy(param_dtype=low, reduce_dtype=torch.float32)
    for module in (*blocks_of(model), model):
        fully_shard(module, mesh=mesh, mp_policy=policy, reshard_after_forward=True)
        module.set_gradient_divide_factor(1.0)  # a sum, not a mean
        module.set_force_sum_reduction_for_comms(True)  # gloo scales nothing
    model.to(world.device)  # buffers


@contextmanager
def gathered(*models: Any) -> Iterator[None]:
    """Every shard's parameters whole on each worker for the length of a block, in the precision of computation.

    Generation then needs no message at all, where a sharded model would gather its weights anew for every token.
    """
    # Of each model the root first.
    shards = [module for model in models for module in model.modules() if isinstance(module, FSDPModule)]
    for module in shards:
        module.unshard()
        module.set_reshard_after_forward(False, recurse=False)
    try:
        yield
    finally:
        for module in shards:
            module.set_reshard_after_forward(True, recurse=False)
            module.reshard()


def whole_state(model: Any) -> dict[str, Any]:
    """All weights of a model on the CPU, for worker 0; those of a sharded model come together, so every worker asks."""
    return get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))


def local(tensors: Sequence[Tensor]) -> list[Tensor]:
    """This worker's part of each tensor, sharing its memory."""
    return [tensor.to_local() if isinstance(tensor, DTensor) else tensor for tensor in tensors]


def sum_gradients(gradients: Sequence[Tensor], world: World) -> None:
    """Sum replicated gradients over the workers, in place; those of shards were summed in the backward pass."""
    if world.size > 1:
        whole = [gradient for gradient in gradients if not isinstance(gradient, DTensor)]
        for message in [torch.distributed.all_reduce(gradient, async_op=True) for gradient in whole]:
            message.wait()


def global_norm(gradients: Sequence[Tensor], world: World) -> float:
    """The norm of all gradients together, the same on every worker."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(local(gradients)))).item()
    if world.size > 1 and isinstance(gradients[0], DTensor):
        return math.sqrt(world.sum([norm**2])[0])
    return norm


def deal(rows: Sequence[int], world: World) -> tuple[list[int], list[float]]:
    """This worker's rows of a batch and their weights: as many on every worker, filled up with rows of weight 0."""
    mine = list(rows[world.rank :: world.size])
    missing = math.ceil(len(rows) / world.size) - len(mine)
    return mine + list(rows[:1]) * missing, [1.0] * len(mine) + [0.0] * missing


def by_micro_batch(passes: Callable[[range], Iterable[T]], count: int, size: int, world: World) -> list[T]:
    """What `passes` finds of each of `count` rows, of `size` at a time, in their order and on every worker.

    Workers share out whole micro-batches, so their number changes no bit.
    """
    parts = [range(first, min(first + size, count)) for first in range(0, count, size)]
    filled = parts + parts[:1] * (-len(parts) % world.size)  # as many on every worker: shards are gathered by all
    found = world.share_out(lambda mine: [passes(rows) for rows in mine], filled)
    return [row for part in found[: len(parts)] for row in part]
