"""The Ray adapters: a warm group of Ray Train workers, and the Tune trainable that feeds it trial after trial.

A stock nested TorchTrainer costs ten seconds or more for every trial, nearly all of it process starts and imports. Here
each trial slot owns ONE Ray Train run for the whole study. Its workers load libraries, models and data once, and then
take jobs from a mailbox:

    trainable = tune.with_parameters(WarmTrainable, workload=make_session, workers=Workers(cpus=1), folder="/tmp/warm")
    tune.Tuner(trainable, tune_config=TuneConfig(reuse_actors=True, num_samples=20), ...).fit()

`workload()` is called once in each worker and returns `session(config) -> iterator of dicts`; every dict becomes one
Tune result. Usable with any search of one's own; nothing here knows unlearning.
"""

import asyncio
import hashlib
import itertools
import os
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError

Session = Callable[[dict[str, Any]], Iterable[dict[str, Any]]]
Workload = Callable[[], Session]

POLL_S = 1.0  # how often a waiting trial looks whether its worker group is still alive


@dataclass(frozen=True, kw_only=True)
class Workers:
    """What one worker group asks of the cluster."""

    cpus: float = 1
    gpus: float = 0

    def resources(self) -> dict[str, float]:
        """Resources of one worker, in Ray's names."""
        return {"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {})


class Mailbox:
    """Jobs in, results out, between one trial slot and its worker group; only the newest job's results are kept."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[tuple[int, dict[str, Any] | None]] = asyncio.Queue()
        self._results: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._newest = 0

    async def submit(self, config: dict[str, Any] | None) -> None:
        """Hand in the next job, or `None` to end the group. What an older job still posts is dropped."""
        self._newest += 1
        self._results = asyncio.Queue()
        await self._jobs.put((self._newest, config))

    async def take(self) -> tuple[int, dict[str, Any] | None]:
        """Wait for the next job: its number and its configuration."""
        return await self._jobs.get()

    async def post(self, job: int, result: dict[str, Any]) -> bool:
        """Hand in a result; False tells the worker that its job was replaced and may stop."""
        if job == self._newest:
            await self._results.put(result)
        return job == self._newest

    async def collect(self, timeout: float) -> dict[str, Any] | None:
        """Wait up to `timeout` seconds for the newest job's next result."""
        try:
            return await asyncio.wait_for(self._results.get(), timeout)
        except TimeoutError:
            return None


def work(loop_config: dict[str, Any]) -> None:
    """The Ray Train loop of a warm worker: set up once, then one job after another until the mailbox says stop.

    Raises RuntimeError where this worker imports another copy of the code than the driver.
    """
    check_code(loop_config["code"], loop_config["code_path"])
    _set_threads(loop_config["threads"])
    session, mailbox = loop_config["workload"](), loop_config["mailbox"]
    while True:
        job, config = ray.get(mailbox.take.remote())
        if config is None:
            return
        for result in itertools.chain(session(config), [{"done": True}]):
            if not ray.get(mailbox.post.remote(job, result)):
                break


class WarmTrainable(tune.Trainable):
    """A Tune trainable whose trials run on one warm worker group; use it with `reuse_actors=True`.

    Parameters, by `tune.with_parameters`: `workload`, `workers`, and `folder` for Ray Train's own files. A worker group
    that dies ends its trial with `{"failure": reason, "done": True}`; the next trial starts a fresh group.
    """

    def setup(self, config: dict[str, Any], workload: Workload, workers: Workers, folder: str) -> None:
        """Start the worker group and hand it the first trial."""
        self._start = lambda: _Group(workload, workers, folder)
        self._group = self._start()
        self._group.submit(config)

    def step(self) -> dict[str, Any]:
        """Wait for the trial's next result."""
        return self._group.next_result()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Hand the next trial to the same group, or to a fresh one where it died."""
        if not self._group.alive():
            self._group = self._start()
        self._group.submit(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the trial's own checkpoints are the workload's."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: see `save_checkpoint`."""

    def cleanup(self) -> None:
        """End the worker group."""
        self._group.stop()


class _Group:
    """One Ray Train run in a thread, and the mailbox that feeds it."""

    def __init__(self, workload: Workload, workers: Workers, folder: str) -> None:
        self._mailbox = ray.remote(Mailbox).options(num_cpus=0).remote()
        self._failure = ""
        trainer = TorchTrainer(
            work,
            train_loop_config={
                "workload": workload,
                "mailbox": self._mailbox,
                "code": code_hash(),
                "code_path": _code_folder(),
                "threads": max(1, int(workers.cpus)),
            },
            scaling_config=ScalingConfig(
                num_workers=1, use_gpu=workers.gpus > 0, resources_per_worker=workers.resources()
            ),
            run_config=RunConfig(name=f"warm-{uuid.uuid4().hex[:8]}", storage_path=folder),
        )
        self._thread = threading.Thread(target=self._fit, args=(trainer,), daemon=True)
        self._thread.start()

    def _fit(self, trainer: TorchTrainer) -> None:
        try:
            trainer.fit()
        except TrainingFailedError as error:
            self._failure = _last_line(error)

    def alive(self) -> bool:
        """Whether the run still takes jobs."""
        return self._thread.is_alive()

    def submit(self, config: dict[str, Any] | None) -> None:
        """Hand over a job."""
        ray.get(self._mailbox.submit.remote(config))

    def next_result(self) -> dict[str, Any]:
        """Wait for the next result, as long as the group lives."""
        while self.alive():
            result = ray.get(self._mailbox.collect.remote(POLL_S))
            if result is not None:
                return result
        return {"failure": f"its workers died: {self._failure}", "done": True}

    def stop(self, patience: float = 10) -> None:
        """Let the run end by itself, for up to `patience` seconds."""
        self.submit(None)
        self._thread.join(patience)


def check_code(expected: str, path: str) -> None:
    """RuntimeError where this process imported another version of this package than the driver did."""
    if code_hash() != expected:
        raise RuntimeError(
            f"this worker runs another copy of the code ({_code_folder()}) than the driver ({path}): "
            "see 'A cluster' in the README"
        )


def code_hash() -> str:
    """Hash of this package's source files."""
    files = sorted(Path(_code_folder()).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _code_folder() -> str:
    return str(Path(__file__).parent)


def _set_threads(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
