"""Real processes that are the workers of one run, over gloo, as Ray Train starts them."""

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.multiprocessing as mp
from ports import free_port


class Team:
    """`size` processes that run the same function at once, as often as asked."""

    def __init__(self, size: int) -> None:
        context = mp.get_context("forkserver")
        context.set_forkserver_preload(["trainables.runs.unlearning"])  # loaded once for all processes
        port = free_port()
        self._jobs = [context.Queue() for _ in range(size)]
        self._answers = [context.Queue() for _ in range(size)]
        places = zip(range(size), self._jobs, self._answers, strict=True)
        self._processes = [
            context.Process(target=_work, args=(rank, size, port, *q), daemon=True) for rank, *q in places
        ]
        for process in self._processes:
            process.start()

    def run(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """What `function(world, *args)` returns on each worker; AssertionError with the traceback where one fails."""
        for jobs in self._jobs:
            jobs.put((function, args))
        answers = [answer.get(timeout=360) for answer in self._answers]
        failures = [failure for _, failure in answers if failure]
        assert not failures, failures[0]
        return [value for value, _ in answers]

    def end(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.join()


@contextmanager
def team(size: int) -> Iterator[Team]:
    """A Team for the length of a block."""
    workers = Team(size)
    try:
        yield workers
    finally:
        workers.end()


def _work(rank: int, size: int, port: int, jobs: Any, answers: Any) -> None:
    places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in places.items()})
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    from trainables.world import join

    world = join()
    while True:
        function, args = jobs.get()
        try:
            answers.put((function(world, *args), None))
        except BaseException:  # noqa: BLE001  # the test raises it
            answers.put((None, traceback.format_exc()))
