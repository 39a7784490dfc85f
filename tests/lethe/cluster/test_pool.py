"""Warm processes work off jobs: each is done once, a lost process's job again, and all processes end. Without Ray."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayError, RayTaskError

from lethe.cluster import pool
from lethe.cluster.pool import Answer, work_off


class Boom(ArithmeticError):
    pass


@dataclass
class FakeRay:
    """Ray as far as a pool uses it, in this process; `fate` may raise for a call of an actor's."""

    fate: Callable[[Any], None] = lambda job: None
    made: list[Any] = field(default_factory=list)
    killed: list[Any] = field(default_factory=list)

    def remote(self, kind: type) -> Any:
        def new(load: Any) -> Any:
            worker, inner = SimpleNamespace(), kind(load)
            worker.load = SimpleNamespace(remote=lambda: self._call(inner.load))
            worker.work = SimpleNamespace(remote=lambda job: self._call(lambda: inner.work(job), job))
            self.made.append(worker)
            worker.number = len(self.made)
            return _Handle(worker)

        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=new))

    def _call(self, run: Callable[[], Any], job: Any = None) -> "_Reference":
        try:
            self.fate(job)
            return _Reference(run(), None)
        except RayError as error:
            return _Reference(None, error)
        except (ValueError, ArithmeticError) as error:
            return _Reference(None, RayTaskError("work", "the traceback", error))

    def wait(self, references: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return references[:1], references[1:]

    def get(self, reference: "_Reference") -> Any:
        if reference.error:
            raise reference.error
        return reference.value

    def kill(self, worker: Any) -> None:
        self.killed.append(worker)


class _Handle:
    def __init__(self, worker: Any) -> None:
        self.load, self.work = worker.load, worker.work


class _Reference:
    def __init__(self, value: Any, error: Exception | None) -> None:
        self.value, self.error = value, error


class Told:
    def __init__(self) -> None:
        self.started_jobs, self.again = [], []

    def started(self, job: Any) -> None:
        self.started_jobs.append(job)

    def restarted(self, job: Any, reason: str) -> None:
        self.again.append((job, reason))


def taking(jobs: list[Any]) -> Callable[[Any], Any]:
    waiting = list(jobs)
    return lambda before: waiting.pop(0) if waiting else None


def run(monkeypatch, jobs, *, fate=lambda job: None, slots=2, load=lambda: lambda job: job * 2):
    fake, told = FakeRay(fate), Told()
    monkeypatch.setattr(pool, "ray", fake)
    answers = list(work_off(load, taking(jobs), told, slots=slots, cpus=1, gpus=0))
    return answers, fake, told


def test_every_job_is_done_once_and_every_process_ends(monkeypatch):
    answers, fake, told = run(monkeypatch, [1, 2, 3, 4, 5])
    assert sorted(a.value for a in answers) == [2, 4, 6, 8, 10]
    assert sorted(told.started_jobs) == [1, 2, 3, 4, 5]
    assert (len(fake.made), len(fake.killed)) == (2, 2)


def test_a_process_loads_once_for_all_its_jobs(monkeypatch):
    loaded = []
    run(monkeypatch, [1, 2, 3], slots=1, load=lambda: loaded.append(1) or (lambda job: job))
    assert loaded == [1]


def test_the_job_of_a_lost_process_is_done_by_another_one(monkeypatch):
    deaths = [3]

    def fate(job):
        if job in deaths:
            deaths.remove(job)
            raise RayError("the node is gone")

    answers, fake, told = run(monkeypatch, [1, 2, 3], fate=fate)
    assert sorted(a.value for a in answers) == [2, 4, 6]
    assert told.again == [(3, "the node is gone")]
    assert (len(fake.made), len(fake.killed)) == (3, 2)


def test_a_job_that_loses_its_process_twice_is_given_up_and_the_others_are_done(monkeypatch):
    def fate(job):
        if job == 1:
            raise RayError("killed\nfor its memory")

    answers, fake, _ = run(monkeypatch, [1, 2, 3], fate=fate, slots=1)
    assert [a.job for a in answers if a.failure] == [1]
    assert next(a.failure for a in answers if a.failure) == "its process was lost 2 times: killed"
    assert sorted(a.value for a in answers if not a.failure) == [4, 6]
    assert len(fake.made) == 3


def test_what_a_job_raises_is_its_answer_and_the_process_goes_on(monkeypatch):
    def work(job):
        if job == 2:
            raise Boom("it broke\nhere")
        return job

    answers, fake, _ = run(monkeypatch, [1, 2, 3], slots=1, load=lambda: work)
    assert answers[1] == Answer(job=2, failure="Boom: it broke")
    assert len(fake.made) == 1


def test_what_loading_raises_is_raised_as_it_is(monkeypatch):
    def load():
        raise ValueError("no such model")

    fake = FakeRay()
    monkeypatch.setattr(pool, "ray", fake)
    with pytest.raises(ValueError, match="^no such model$"):
        list(work_off(load, taking([1]), Told(), slots=2, cpus=1, gpus=0))
    assert len(fake.killed) == 2


def test_processes_that_die_as_they_load_are_given_up(monkeypatch):
    def fate(job):
        raise RayError("no memory")

    fake = FakeRay(fate)
    monkeypatch.setattr(pool, "ray", fake)
    with pytest.raises(ConnectionError, match="^processes were lost as they loaded: no memory$"):
        list(work_off(lambda: lambda job: job, taking([1]), Told(), slots=1, cpus=1, gpus=0))
    assert len(fake.made) == 2


def test_who_stops_asking_ends_the_processes(monkeypatch):
    fake = FakeRay()
    monkeypatch.setattr(pool, "ray", fake)
    with closing(work_off(lambda: lambda job: job, taking([1, 2, 3]), Told(), slots=2, cpus=1, gpus=0)) as answers:
        next(answers)
    assert len(fake.killed) == 2
