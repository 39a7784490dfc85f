"""Whether a candidate is, to the bit, what was scored before: a hash of all that a subject is made of.

Each piece of a weight counts by a sum of its numbers' bits, each times a random number of its place, modulo 2^64. Other
bits in a piece give another sum but with a probability of 2^-32 at most. Sums are taken where the weights lie, and only
they are sent: a candidate of any size costs a few passes over its weights, where to score it costs thousands.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor

from trainables.subjects.subject import Subject, models_of
from trainables.training.parallel import local
from trainables.world import World

PIECE = 2**20  # numbers of a weight that are summed at once, 8 bytes each
BITS = {1: torch.int8, 2: torch.int16}  # by the bytes of a number; of more bytes, 4 by 4


def bits_of(subject: Any, world: World) -> tuple[str, ...]:
    """The hash of a subject's kind, data, configuration and weights, a part for each worker: the same on all."""
    kind = (subject.kind, subject.data()) if isinstance(subject, Subject) else ()
    digest = hashlib.sha256(json.dumps(kind).encode())
    for model in models_of(subject):
        digest.update(model.config.to_json_string().encode())
        for name, weight in _weights(model):
            digest.update(name.encode())
            digest.update(_sums(weight).numpy().tobytes())
    return tuple(world.share_out(lambda workers: [digest.hexdigest()] * len(workers), range(world.size)))


def _weights(model: Any) -> Iterator[tuple[str, Tensor]]:
    named = [*model.named_parameters(), *model.named_buffers()]
    yield from zip([name for name, _ in named], local([weight for _, weight in named]), strict=True)


@torch.no_grad()
def _sums(weight: Tensor) -> Tensor:
    """A sum of each piece of a weight: int64 [pieces], on the CPU."""
    bits = weight.detach().contiguous().view(-1).view(BITS.get(weight.element_size(), torch.int32))
    factors = _factors(weight.device)
    return torch.stack([(piece * factors[: len(piece)]).sum() for piece in bits.split(PIECE)]).cpu()


@cache
def _factors(device: torch.device) -> Tensor:
    """A random odd number of 64 bits for each place of a piece, always the same."""
    least, most = -(2**63), 2**63 - 1
    drawn = torch.randint(least, most, (PIECE,), generator=torch.Generator().manual_seed(0))
    return (drawn | 1).to(device)
