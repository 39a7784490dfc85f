"""The Ray cluster that trials run on, joined or started for the length of a block, and the only runtime environment.

A job inside a cluster (`ray job submit`, or RAY_ADDRESS) joins it and ships the very code that the driver imported, as
py_modules, so driver and workers cannot run two different copies. Without a cluster one is started on this machine.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from lethe import starting
from lethe.cores import WAITING, available_cpus, share_cores

T = TypeVar("T")

# PyTorch's default allocator took 69 GiB of a GPU for 52 GiB of tensors (benchmarks/results/gpu-step.md).
ALLOCATOR = {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
# For this process and every one that Ray starts.
ENVIRONMENT = {
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",  # how often Train looks at its workers; 2 s would delay every start
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "10",  # for room for a group; an elastic one then tries a smaller size
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # one process less for each group; our trials do not use its news
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a worker that was given no GPU sees none, not all of them
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
    **ALLOCATOR,
}
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
# For a cluster that is started here: it lives and dies with this process.
LOCAL = {
    "RAY_worker_maximum_startup_concurrency": "16",  # a warm group is several light processes, not a mistake
    "RAY_prestart_worker_first_driver": "0",  # nothing here uses the idle workers that Ray would start for it
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",  # or Ray's agents outlive a driver that was killed by a minute
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What the joined cluster offers."""

    nodes: tuple[tuple[float, float], ...]  # CPUs and GPUs of each node


def joins() -> bool:
    """Whether there is a cluster to join, named by RAY_ADDRESS, as in a job."""
    return bool(os.environ.get("RAY_ADDRESS"))


@contextmanager
def connect(modules: Sequence[ModuleType]) -> Iterator[Cluster]:
    """Join the cluster named by RAY_ADDRESS, or start one here, for the length of the block.

    `modules` are the packages that workers import; they are shipped to a cluster that is joined.
    """
    for name, value in (share_cores(os.environ) | ENVIRONMENT | ({} if joins() else LOCAL)).items():
        os.environ.setdefault(name, value)
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # a trial's failure is a line of the display's
    ray._private.worker._worker_logs_enabled = False  # Ray notes on stdout what becomes of processes
    starting.join(**_join(modules)) if joins() else starting.start(**_start())
    try:
        alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        yield Cluster(nodes=tuple((resources.get("CPU", 0.0), resources.get("GPU", 0.0)) for resources in alive))
    finally:
        ray.shutdown()


def run_remotely(function: Callable[..., T], *args: Any, cpus: float, gpus: float) -> T:
    """What a function returns on a node of the cluster that has so much to spare; what it raises there is raised here.

    ConnectionError where its process or its node is lost.
    """
    try:
        return ray.get(ray.remote(function).options(num_cpus=cpus, num_gpus=gpus).remote(*args))
    except RayTaskError as error:  # its text is the whole traceback; what was raised there says one line
        raise error.cause from None
    except RayError as error:
        raise ConnectionError(f"a worker of the cluster was lost: {str(error).strip().splitlines()[0]}") from error


def slots(cluster: Cluster, *, workers: int, cpus: float, gpus: float, trials: int) -> int:
    """Return how many trials fit at once, each of so many workers; a worker lies on one node, a trial on several.

    ValueError where not even one fits, naming what is wanted and there: Ray would wait for it for ever.
    """
    room = sum(_fitting(*node, cpus, gpus) for node in cluster.nodes)
    if room < workers:
        there = ", ".join(f"{node_cpus:g} CPUs and {node_gpus:g} GPUs" for node_cpus, node_gpus in cluster.nodes)
        raise ValueError(
            f"a trial wants {workers} worker{'s' * (workers > 1)} of {cpus:g} CPUs and {gpus:g} GPUs, but there is "
            f"room for {room}: the cluster's nodes have {there}"
        )
    return min(room // workers, trials)


def _fitting(node_cpus: float, node_gpus: float, cpus: float, gpus: float) -> int:
    """How many workers fit on a node."""
    return min(_times(node_cpus, cpus), _times(node_gpus, gpus)) if gpus else _times(node_cpus, cpus)


def _times(there: float, wanted: float) -> int:
    """How often `wanted` goes into `there`; a tenth goes ten times into 1, where 1 // 0.1 is 9."""
    return int(there / wanted + 1e-9)


def _start() -> dict[str, Any]:
    """Ray's arguments for a cluster here."""
    return QUIET | {"num_cpus": available_cpus(), "include_dashboard": True, "address": "local"}


def _join(modules: Sequence[ModuleType]) -> dict[str, Any]:
    """Ray's arguments for a cluster that is there: the code, and the environment, in which a user's setting wins."""
    folders = [str(Path(str(module.__file__)).parent) for module in modules]
    names = [name for name in (*ENVIRONMENT, *WAITING) if name in os.environ]
    return QUIET | {"runtime_env": {"py_modules": folders, "env_vars": {name: os.environ[name] for name in names}}}
