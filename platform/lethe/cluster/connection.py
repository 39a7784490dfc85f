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

from lethe.cluster import starting
from lethe.cluster.cores import WAITING, available_cpus, share_cores
from lethe.cluster.environment import ENVIRONMENT, LOCAL, joins
from lethe.reasons import first_line

T = TypeVar("T")

QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What the joined cluster offers."""

    nodes: tuple[tuple[float, float], ...]  # CPUs and GPUs of each node


@contextmanager
def connect(modules: Sequence[ModuleType]) -> Iterator[Cluster]:
    """Join the cluster named by RAY_ADDRESS, or start one here, for the length of the block.

    `modules` are the packages that workers import; they are shipped to a cluster that is joined.
    """
    # A driver need not be a `lethe` command, which shares the cores by itself, for a torch of its own.
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
        raise ConnectionError(f"a worker of the cluster was lost: {first_line(error)}") from error


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
