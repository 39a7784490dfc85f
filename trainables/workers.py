"""The Ray adapters: a warm group of Ray Train workers, and the Tune trainable that feeds it trial after trial.

A stock nested TorchTrainer costs ten seconds or more for every trial, nearly all of it process starts and imports. Here
each trial slot owns ONE Ray Train run for the whole study. Its workers load libraries, models and data once, and then
take jobs from a mailbox:

    trainable = warm(make_session, Workers(cpus=1), "/tmp/warm")
    tune.Tuner(trainable, tune_config=TuneConfig(reuse_actors=True, num_samples=20), ...).fit()

`workload()` is called once in each worker and returns `session(config) -> iterator of dicts`; every dict becomes one
Tune result. Usable with any search of one's own; nothing here knows unlearning.
"""

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
from ray.exceptions import RayError
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError

from trainables.mailbox import Mailbox

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


@dataclass(frozen=True)
class Shared:
    """A workload in Ray's object store: only the workers open it, so only they load the libraries that it needs."""

    reference: Any  # ray.ObjectRef


def work(loop_config: dict[str, Any]) -> None:
    """The Ray Train loop of a warm worker: set up once, then one job after another until the mailbox says stop.

    Raises RuntimeError where this worker imports another copy of the code than the driver.
    """
    check_code(loop_config["code"], loop_config["code_path"])
    _set_threads(loop_config["threads"])
    session, mailbox = _open(loop_config["workload"])(), loop_config["mailbox"]
    while True:
        job, config = ray.get(mailbox.take.remote())
        if config is None:
            return
        for result in itertools.chain(session(config), [{"done": True}]):
            if not ray.get(mailbox.post.remote(job, result)):
                break


def warm(workload: Workload, workers: Workers, folder: str) -> Any:
    """Return the Tune trainable of a workload; `folder` is for Ray Train's own files. Ray has to be up."""
    return tune.with_parameters(WarmTrainable, workload=Shared(ray.put(workload)), workers=workers, folder=folder)


class WarmTrainable(tune.Trainable):
    """A Tune trainable whose trials run on one warm worker group; use it by `warm`, and with `reuse_actors=True`.

    A worker group that dies ends its trial with `{"failure": reason, "done": True}`; the next trial starts a fresh one.
    """

    def setup(self, config: dict[str, Any], workload: Workload | Shared, workers: Workers, folder: str) -> None:
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

    def __init__(self, workload: Workload | Shared, workers: Workers, folder: str) -> None:
        self._mailbox = ray.remote(Mailbox).options(num_cpus=0).remote()
        self._failure = "no reason is known, see the logs in Ray's session folder"
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
        except (TrainingFailedError, RayError) as error:
            self._failure = _last_line(error)

    def alive(self) -> bool:
        """Whether the run still takes jobs."""
        return self._thread.is_alive()

    def submit(self, config: dict[str, Any] | None) -> None:
        """Hand over a job."""
        ray.get(self._mailbox.submit.remote(config))

    def next_result(self) -> dict[str, Any]:
        """Wait for the next result, as long as the group lives; what it posted before it died is not lost."""
        while True:
            alive = self.alive()
            result = ray.get(self._mailbox.collect.remote(POLL_S))
            if result is not None:
                return result
            if not alive:
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


def _open(workload: Workload | Shared) -> Workload:
    return ray.get(workload.reference) if isinstance(workload, Shared) else workload


def _set_threads(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
