"""Real Ray clusters on this machine: a head that takes jobs, and further nodes, in processes that end with the block."""

import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from searching import MARK, ROOT, marked

RAY = ["python", "-m", "ray.scripts.scripts"]  # the `ray` of the environment's first python


@dataclass(frozen=True)
class Head:
    """A head node: the addresses of its dashboard and of its control store, and the environment it was started in."""

    address: str
    gcs: str
    environment: dict[str, str]
    folder: Path


@dataclass(frozen=True)
class Node:
    """All processes of a node."""

    mark: str

    def kill(self) -> None:
        """kill -9 of the whole node."""
        for process in marked(self.mark):
            process.kill()


@contextmanager
def start_head(folder: Path, environment: dict[str, str], cpus: int = 2) -> Iterator[Head]:
    """`ray start --head` as the README says it, on ports and in a folder of its own."""
    dashboard, port = free_port(), free_port()
    places = ["--port", port, "--dashboard-port", dashboard, "--temp-dir", folder / "ray"]
    with _ray_start(folder / "head.log", environment, "--head", "--num-cpus", cpus, *places):
        address = f"http://127.0.0.1:{dashboard}"
        _wait_for_dashboard(address, environment, folder / "head.log")
        yield Head(address, f"127.0.0.1:{port}", environment, folder)


@contextmanager
def start_node(head: Head, cpus: int = 2) -> Iterator[Node]:
    """One more node, of a raylet of its own, that has joined; as on a machine of its own, no file is shared."""
    name = uuid.uuid4().hex[:4]
    log, files = head.folder / f"node-{name}.log", head.folder / f"ray-{name}"
    with _ray_start(log, head.environment, "--address", head.gcs, "--num-cpus", cpus, "--temp-dir", files) as node:
        end = time.monotonic() + 120
        while "Ray runtime started" not in log.read_text():
            assert time.monotonic() < end, f"the node does not join:\n{log.read_text()}"
            time.sleep(0.1)
        yield node


def ray_job(verb: str, address: str, environment: dict[str, str], *more: str, cwd: Path = ROOT):
    """`ray job VERB --address ... MORE`."""
    command = [*RAY, "job", verb, "--address", address, *more]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=400)


@contextmanager
def _ray_start(log: Path, environment: dict[str, str], *flags: object) -> Iterator[Node]:
    node = Node(uuid.uuid4().hex)
    ports = ["--dashboard-agent-listen-port", free_port(), "--block"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*RAY, "start", *map(str, [*flags, *ports])],
            env=environment | {MARK: node.mark},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield node
    finally:
        node.kill()
        process.wait(30)


def free_port() -> int:
    """A free TCP port; the system gives none from 10002 to 19999, where Ray's workers take theirs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for_dashboard(address: str, environment: dict[str, str], log: Path, timeout: float = 120) -> None:
    """Wait until the head takes jobs: its dashboard answers some seconds before the agent that starts them."""
    end = time.monotonic() + timeout
    while (answer := ray_job("submit", address, environment, "--", "true")).returncode:
        if time.monotonic() > end:
            pytest.fail(f"the head takes no jobs:\n{log.read_text()}\n{answer.stdout}\n{answer.stderr}")
        time.sleep(1)
