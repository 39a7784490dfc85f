"""Warm processes on a cluster that work off jobs: each loads once, and one that dies is replaced by another.

    with closing(work_off(load, Queue(jobs).take, slots=2, cpus=1, gpus=0)) as done:
        for answer in done: ...

A job whose process died is tried again once. Ray has to be up; who goes on with another driver does what is left.
"""

from collections import Counter
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from lethe.reasons import first_line, in_a_line

TRIES = 2  # of a job, and of a process's loading
J = TypeVar("J", bound=Hashable)


class Observer(Protocol):
    """Who is told what becomes of jobs."""

    def started(self, job: Any) -> None:
        """A process has begun it."""

    def restarted(self, job: Any, reason: str) -> None:
        """Its process died, and another one does it."""


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[J]):
    """What came of a job: what its work returned, or why it could not be done."""

    job: J
    value: Any = None
    failure: str = ""


class Worker:
    """A process that loads what jobs share, and then does one after another."""

    def __init__(self, load: Callable[[], Callable[[Any], Any]]) -> None:
        self._load = load

    def load(self) -> None:
        """Load what all jobs share."""
        self._work = self._load()

    def work(self, job: Any) -> Any:
        """Do a job."""
        return self._work(job)


@dataclass(frozen=True)
class _Task:
    """What a process does: a job, or None where it loads."""

    worker: Any
    job: Any


def work_off(
    load: Callable[[], Callable[[J], Any]],
    take: Callable[[J | None], J | None],
    observer: Observer,
    *,
    slots: int,
    cpus: float,
    gpus: float,
) -> Generator[Answer[J]]:
    """Yield the answer of each job as it is done, in `slots` processes; where the block around it ends, so do they.

    `load` is called once in each process and returns what does a job. `take` gives the next job to a process that did
    the one it is called with, None where there is none left. What `load` raises is raised here; ConnectionError where
    processes die as they load.
    """
    pool = _Pool(lambda: ray.remote(Worker).options(num_cpus=cpus, num_gpus=gpus).remote(load), take, observer)
    try:
        for _ in range(slots):
            pool.hire()
        while pool.running:
            answer = pool.next_answer()
            if answer is not None:
                yield answer
    finally:
        pool.end()


class _Pool:
    """Processes and what each of them does just now."""

    def __init__(self, new: Callable[[], Any], take: Callable[[Any], Any], observer: Observer) -> None:
        self._new, self._take, self._observer = new, take, observer
        self._workers: list[Any] = []
        self._lost: Counter[Any] = Counter()  # by job: how often its process died
        self._again: list[Any] = []
        self.running: dict[Any, _Task] = {}

    def hire(self) -> None:
        """Start a process, which loads."""
        worker = self._new()
        self._workers.append(worker)
        self.running[worker.load.remote()] = _Task(worker, None)

    def end(self) -> None:
        """End all processes."""
        for worker in self._workers:
            ray.kill(worker)

    def next_answer(self) -> Answer[Any] | None:
        """Wait until a process is done, and give it more to do; None where it had only loaded, or its job is again."""
        (reference,), _ = ray.wait(list(self.running), num_returns=1)
        task = self.running.pop(reference)
        try:
            answer = Answer(job=task.job, value=ray.get(reference))
        except RayTaskError as error:
            if task.job is None:
                raise error.cause from None
            answer = Answer(job=task.job, failure=in_a_line(error.cause))
        except RayError as error:
            return self._replace(task, error)
        self._hand(task)
        return None if task.job is None else answer

    def _hand(self, task: _Task) -> None:
        """Give a process its next job, or end it where there is none."""
        job = self._again.pop() if self._again else self._take(task.job)
        if job is None:
            self._workers.remove(task.worker)
            ray.kill(task.worker)
            return
        self._observer.started(job)
        self.running[task.worker.work.remote(job)] = _Task(task.worker, job)

    def _replace(self, task: _Task, error: RayError) -> Answer[Any] | None:
        """Start another process for one that died, and let it do the same job, unless that died too often."""
        self._workers.remove(task.worker)
        self._lost[task.job] += 1
        over = self._lost[task.job] == TRIES
        if over and task.job is None:
            raise ConnectionError(f"processes were lost as they loaded: {first_line(error)}") from error
        self.hire()
        if over:
            return Answer(job=task.job, failure=f"its process was lost {TRIES} times: {first_line(error)}")
        if task.job is not None:
            self._again.append(task.job)
            self._observer.restarted(task.job, first_line(error))
        return None
