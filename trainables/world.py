"""The workers of one run: which of them this process is, and what they tell each other.

A run on one worker needs none of it: `World()` is that worker, and all its messages go to itself.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class World:
    """One of `size` workers, numbered by `rank` from 0, and the device it computes on."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def share(self, value: T) -> T:
        """What worker 0 gives, on every worker."""
        return broadcast_object_list([value])[0] if self.size > 1 else value

    def sum(self, values: Sequence[float]) -> list[float]:
        """The sum of each value over the workers, the same bits on all of them."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(total)
        return total.tolist()

    def share_out(self, function: Callable[[list[T]], list[R]], items: Sequence[T]) -> list[R]:
        """`function(items)`, each worker doing its part: one result for each item, in their order, on every worker."""
        if self.size == 1:
            return function(list(items))
        mine = function(list(items[self.rank :: self.size]))
        parts = gather_object([mine])
        return [parts[i % self.size][i // self.size] for i in range(len(items))]

    def on_all(self, action: Callable[[], object]) -> None:
        """Do something on every worker; an OSError of one of them is raised on all."""
        if self.size == 1:
            action()
            return
        failure = None
        try:
            action()
        except OSError as error:
            failure = error
        failures = [found for found in gather_object([failure]) if found is not None]
        if failures:
            raise failures[0]

    def on_first(self, action: Callable[[], T]) -> T:
        """Do something on worker 0 alone; its result, or its OSError, reaches every worker."""
        outcome: tuple[Any, OSError | None] = (None, None)
        if self.rank == 0:
            try:
                outcome = action(), None
            except OSError as error:
                if self.size == 1:
                    raise
                outcome = None, error
        result, failure = self.share(outcome)
        if failure is not None:
            raise failure
        return result


ALONE = World()


def join() -> World:
    """The world of this process, on its GPU where it has one.

    RuntimeError where accelerate finds another number of processes than WORLD_SIZE, which Ray Train and torchrun set:
    on a CPU it is silently alone unless it is told that there is no GPU to look for.
    """
    expected = int(os.environ.get("WORLD_SIZE", "1"))
    state = PartialState(cpu=not torch.cuda.is_available())
    if state.num_processes != expected:
        raise RuntimeError(f"{expected} workers were started, but this one sees {state.num_processes} processes")
    return World(state.process_index, state.num_processes, state.device)
