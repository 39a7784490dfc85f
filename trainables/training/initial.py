"""What the initial model finds of the sequences of a run, before anything of it moves.

A warm worker computes it once for all runs that begin with the same sequences and compute in the same way.
"""

from typing import Any

import torch
from torch import Tensor

from trainables.method import Sequences, Start
from trainables.settings import Descent
from trainables.training.descend import FORGET, Term, batches
from trainables.training.parallel import by_micro_batch
from trainables.world import World


def initial_log_probs(model: Any, start: Start, settings: Descent, world: World) -> list[Tensor]:
    """Per-token log-probabilities of every forget sequence under the initial model, on the host: NPO's reference."""
    key = ("initial log-probs", *_way(settings), tuple(map(tuple, start.forget)))
    return start.cached(key, lambda: _log_probs(model, start.forget, settings, start.pad, world))


def initial_loss(model: Any, start: Start, settings: Descent, world: World) -> float:
    """Cross-entropy of all retain text under the initial model, in nats a token."""

    def measure() -> float:
        return -torch.cat(_log_probs(model, start.retain, settings, start.pad, world)).double().mean().item()

    return start.cached(("initial loss", *_way(settings), tuple(map(tuple, start.retain))), measure)


def _way(settings: Descent) -> tuple[str, int, str]:
    """What decides the last bits of a forward pass."""
    return settings.precision, settings.micro_batch_size, settings.parallel


@torch.no_grad()
def _log_probs(model: Any, sequences: Sequences, settings: Descent, pad: int, world: World) -> list[Tensor]:
    """Log-probabilities of every sequence."""
    model.eval()
    term = Term(name="", sequences=sequences, stream=FORGET, weight=0.0, loss=None)

    def passes(rows: range) -> Tensor:
        (batch,) = batches(model, term, rows, pad, settings)
        return batch.log_p().cpu()  # as one: rows of their own would each be sent with all of it

    found = by_micro_batch(passes, len(sequences), settings.micro_batch_size, world)
    return [log_p[: len(ids) - 1].clone() for log_p, ids in zip(found, sequences, strict=True)]
