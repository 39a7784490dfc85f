"""Real Ray clusters on this machine: a head that takes jobs, and further nodes, in processes that end with the block."""

import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import free_port
from searching import MARK, ROOT, Search, kill_family, start

RAY = ["python", "-m", "ray.scripts.scripts"]  # the `ray` of the environment's first python
TRIES = 4  # of a node's start
JOB = "followed"  # the name of a job that is not waited for
NOT_YET = ("No available agent to submit job", "Failed to connect to Ray")  # what a head says that has just started


@dataclass(frozen=True)
class Head:
    """A head node: its mark, the addresses of its dashboard and of its control store, and where it was started."""

    mark: str
    address: str
    gcs: str
    environment: dict[str, str]
    folder: Path


@dataclass(frozen=True)
class Node:
    """All processes of a node: the mark of each, and the one that started them."""

    mark: str
    process: subprocess.Popen

    def kill(self) -> None:
        """kill -9 of the whole node."""
        kill_family(self.process, self.mark)


@contextmanager
def start_head(folder: Path, environment: dict[str, str], cpus: int = 2) -> Iterator[Head]:
    """`ray start --head` as docs/cluster.md says it, on ports and in a folder of its own."""
    dashboard, port = free_port(), free_port()
    places = ["--port", port, "--dashboard-port", dashboard, "--temp-dir", folder / "ray"]
    with _ray_start(folder / "head.log", environment, "--head", "--num-cpus", cpus, *places) as node:
        yield Head(node.mark, f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{port}", environment, folder)


@contextmanager
def start_node(head: Head, cpus: int = 2) -> Iterator[Node]:
    """One more node, of a raylet of its own, that has joined; as on a machine of its own, no file is shared."""
    name = uuid.uuid4().hex[:4]
    log, files = head.folder / f"node-{name}.log", head.folder / f"ray-{name}"
    with _ray_start(log, head.environment, "--address", head.gcs, "--num-cpus", cpus, "--temp-dir", files) as node:
        yield node


def submit(head: Head, *more: str, cwd: Path = ROOT, patience: float = 360) -> subprocess.CompletedProcess[str]:
    """`ray job submit --address ... MORE`; a head takes jobs some seconds after it has started."""
    command, end = [*RAY, "job", "submit", "--address", head.address, *more], time.monotonic() + patience
    while True:
        job = subprocess.run(command, env=head.environment, cwd=cwd, capture_output=True, text=True, timeout=1200)
        taken = not any(reason in job.stdout + job.stderr for reason in NOT_YET)
        if taken or time.monotonic() > end:
            return job
        time.sleep(1)


@contextmanager
def follow_job(head: Head, *more: str, cwd: Path = ROOT) -> Iterator[Search]:
    """`ray job submit --no-wait ... MORE`, and then `ray job logs --follow` until the job has ended."""
    taken = submit(head, "--no-wait", "--submission-id", JOB, *more, cwd=cwd)
    assert taken.returncode == 0, taken.stdout + taken.stderr
    with start([*RAY, "job", "logs", "--address", head.address, "--follow", JOB], head.folder, head.environment) as log:
        yield log


def stop(head: Head) -> None:
    """`ray job stop` of the job that is followed."""
    command = [*RAY, "job", "stop", "--address", head.address, JOB]
    subprocess.run(command, env=head.environment, check=True, capture_output=True, timeout=450)


@contextmanager
def _ray_start(log: Path, environment: dict[str, str], *flags: object) -> Iterator[Node]:
    """`ray start FLAGS`, and again where the machine was too busy for the 30 seconds that Ray gives a node."""
    for _ in range(TRIES):
        node = _launch(log, environment, *flags)
        try:
            if _has_started(node, log):
                yield node
                return
        finally:
            node.kill()
            node.process.wait(90)
    raise AssertionError(f"the node does not start:\n{log.read_text()}")


def _launch(log: Path, environment: dict[str, str], *flags: object) -> Node:
    mark = uuid.uuid4().hex
    ports = ["--dashboard-agent-listen-port", free_port(), "--block"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*RAY, "start", *map(str, [*flags, *ports])],
            env=environment | {MARK: mark},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return Node(mark, process)


def _has_started(node: Node, log: Path, patience: float = 120) -> bool:
    end = time.monotonic() + patience
    while "Ray runtime started" not in log.read_text():
        if node.process.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
