"""The Ray adapters: a warm group of Ray Train workers, and the Tune trainable that feeds it trial after trial.

A stock nested TorchTrainer costs ten seconds or more for every trial, nearly all of it process starts and imports. Here
each trial slot owns ONE Ray Train run for the whole study. Its workers load libraries, models and data once, and then
take jobs from a mailbox:

    trainable = warm(make_session, Workers(count=2, cpus=1), "/tmp/warm")
    tune.Tuner(trainable, tune_config=TuneConfig(reuse_actors=True, num_samples=20), ...).fit()

`workload()` is called once in each worker and returns `session(config) -> iterator of dicts`, which runs on all workers
of a group at once; every dict of the first one becomes one Tune result. A group that loses a worker or a node is
started anew by Ray Train and calls the session again: one that gives the same results for the same configuration, from
a state of its own if it likes, loses and doubles nothing. Usable with any search; nothing here knows unlearning, and
torch is loaded where it is used, since a driver needs none.
"""

import itertools
import os
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ray
from ray import tune
from ray.exceptions import RayError
from ray.train import FailureConfig, RunConfig, ScalingConfig, get_context
from ray.train.v2.api.exceptions import TrainingFailedError

from trainables.failures import enough_memory, in_a_line, last_line, may_be_a_lost_worker
from trainables.keys import CODE, code_hash
from trainables.workers.mailbox import Mailbox

if TYPE_CHECKING:
    from ray.train.torch import TorchTrainer

Session = Callable[[dict[str, Any]], Iterable[dict[str, Any]]]
Workload = Callable[[], Session]

HEAD = {"node:__internal_head__": 0.001}
RESIZE_S = 5.0  # how often an elastic group looks for nodes that came back
POLL_S = 1.0  # how often a waiting trial looks whether its worker group is still alive


@dataclass(frozen=True, kw_only=True)
class Workers:
    """What one worker group asks of the cluster; with `least` it goes on with fewer workers where a node is lost."""

    count: int = 1
    least: int | None = None
    cpus: float = 1  # of each worker
    gpus: float = 0

    @property
    def backend(self) -> str:
        """Of torch.distributed: NCCL between GPUs, but gloo where workers share one, which NCCL refuses."""
        return "cpu:gloo,cuda:nccl" if self.gpus >= 1 else "gloo"

    def scaling(self) -> ScalingConfig:
        """The group in Ray Train's words."""
        return ScalingConfig(
            num_workers=(self.least, self.count) if self.least else self.count,
            use_gpu=self.gpus > 0,
            resources_per_worker={"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {}),
            elastic_resize_monitor_interval_s=RESIZE_S,
        )


@dataclass(frozen=True)
class Shared:
    """A workload in Ray's object store: only the workers open it, so only they load the libraries that it needs."""

    reference: Any  # ray.ObjectRef


def work(loop_config: dict[str, Any]) -> None:
    """The Ray Train loop of a warm worker: one job after another until the mailbox says stop.

    What a session raises ends this group, which Ray Train starts anew, and its job with the reason: also where the
    others wait for this worker in the middle of a step. What may have been the loss of another worker, where there are
    several, does not end the job, which is then tried again.
    """
    mailbox, session = loop_config["mailbox"], None
    while True:
        ray.get(mailbox.wait.remote())  # all wait here: a message between workers would time out
        job, config = _call_on_first(mailbox.take)
        if config is None:
            return
        try:
            with enough_memory("loading"):
                session = session or _set_up(loop_config)
            for index, result in enumerate(itertools.chain(session(config), [{"done": True}])):
                told = result | ({"done": True} if "failure" in result else {})
                if not _goes_on(loop_config, job, index, told):
                    break
        except Exception as error:
            workers = get_context().get_world_size()
            lost = may_be_a_lost_worker(error, workers=workers, group_is_gone=_group_is_gone())
            ray.get((mailbox.note if lost else mailbox.fail).remote(job, in_a_line(error)))
            raise


def _goes_on(loop_config: dict[str, Any], job: int, index: int, told: dict[str, Any]) -> bool:
    """Hand in a result, and whether its job goes on behind it; with `stops` not before that was decided."""
    mailbox = loop_config["mailbox"]
    if not _call_on_first(mailbox.post, job, index, told) or told.get("done"):
        return False
    if not loop_config["stops"]:
        return True
    ray.get(mailbox.answered.remote(job, index))  # all wait here, as for a job
    return bool(_call_on_first(mailbox.goes_on, job))


def _group_is_gone() -> bool:
    """Whether Ray Train ended the process group of several workers, as it does where one of them died."""
    if get_context().get_world_size() == 1:
        return False
    import torch

    return not torch.distributed.is_initialized()


def _call_on_first(method: Any, *args: Any) -> Any:
    """What an actor's method answers to the group's first worker, on all of them."""
    outcome = [ray.get(method.remote(*args)) if get_context().get_world_rank() == 0 else None]
    if get_context().get_world_size() > 1:
        import torch

        torch.distributed.broadcast_object_list(outcome)
    return outcome[0]


def _set_up(loop_config: dict[str, Any]) -> Session:
    """Load what all jobs share; ImportError where this worker imports another copy of the code than the driver."""
    check_code(loop_config["code"], loop_config["code_path"])
    _set_threads(loop_config["threads"])
    return _open(loop_config["workload"])()


def warm(workload: Workload, workers: Workers, folder: str, *, stops: bool = False) -> Any:
    """Return the Tune trainable of a workload; `folder` is for Ray Train's own files. Ray has to be up.

    With `stops`, for searches that stop trials, workers wait behind each result until Tune wants the next one: a trial
    that is stopped computes nothing that nobody looks at, and its workers are free at once.

    The trial's own actor sits on the head node and takes no CPU: all that there is belongs to the workers, and a group
    that loses a node does not lose its driver.
    """
    shared = Shared(ray.put(workload))
    trainable = tune.with_parameters(WarmTrainable, workload=shared, workers=workers, folder=folder, stops=stops)
    return tune.with_resources(trainable, HEAD)


class WarmTrainable(tune.Trainable):
    """A Tune trainable whose trials run on one warm worker group; use it by `warm`, and with `reuse_actors=True`.

    A worker group that dies is started anew, and its trial goes on; one that cannot be ends its trial with
    `{"failure": reason, "done": True}`, and the next trial starts a fresh one.
    """

    def setup(
        self, config: dict[str, Any], workload: Workload | Shared, workers: Workers, folder: str, stops: bool = False
    ) -> None:
        """Start the worker group and hand it the first trial."""
        self._start = lambda: _Group(workload, workers, folder, stops)
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

    def __init__(self, workload: Workload | Shared, workers: Workers, folder: str, stops: bool) -> None:
        from ray.train.torch import TorchConfig, TorchTrainer

        self._mailbox = ray.remote(Mailbox).options(num_cpus=0).remote()
        self._failure = "no reason is known, see the logs in Ray's session folder"
        trainer = TorchTrainer(
            work,
            train_loop_config={
                "workload": workload,
                "mailbox": self._mailbox,
                "stops": stops,
                "code": code_hash(),
                "code_path": str(CODE),
                "threads": max(1, int(workers.cpus)),
            },
            torch_config=TorchConfig(backend=workers.backend),
            scaling_config=workers.scaling(),
            run_config=RunConfig(
                name=f"warm-{uuid.uuid4().hex[:8]}",
                storage_path=folder,
                failure_config=FailureConfig(max_failures=-1),  # the mailbox counts, by job
            ),
        )
        self._thread = threading.Thread(target=self._fit, args=(trainer,), daemon=True)
        self._thread.start()

    def _fit(self, trainer: "TorchTrainer") -> None:
        try:
            trainer.fit()
        except (TrainingFailedError, RayError) as error:
            self._failure = last_line(error)

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
    """ImportError where this process imported another version of this package than the driver did."""
    if code_hash() != expected:
        raise ImportError(
            f"this worker runs another copy of the code ({CODE}) than the driver ({path}): see docs/cluster.md"
        )


def _open(workload: Workload | Shared) -> Workload:
    return ray.get(workload.reference) if isinstance(workload, Shared) else workload


def _set_threads(threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)  # for torch where it is not loaded yet, and for accelerate
    import torch

    torch.set_num_threads(threads)
