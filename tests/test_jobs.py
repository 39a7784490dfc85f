"""`ray job submit` for real, as the README says it, and the proof of which copy of the code runs where."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from searching import MARK, ROOT, assert_calm, make_tiny, marked, short_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
JOURNAL = "LETHE_TEST_JOURNAL"
WITNESS = f'''

with __import__("contextlib").suppress(KeyError), open(__import__("os").environ["{JOURNAL}"], "a") as _journal:
    _journal.write(f"{{__name__}} {{__import__('os').getpid()}} {{__file__}}\\n")
'''  # appended to the checkout's modules only: whoever imports another copy leaves no line
WITNESSES = {"driver": "platform/lethe/study.py", "worker": "trainables/unlearning.py"}


@dataclass(frozen=True)
class Head:
    """A Ray head node of this test's own: the address of its dashboard, and the environment it was started in."""

    address: str
    environment: dict[str, str]


@contextmanager
def start_head(folder: Path, environment: dict[str, str]) -> Iterator[Head]:
    """`ray start --head` as the README says it, on ports and in a folder of its own."""
    mark = uuid.uuid4().hex
    dashboard, port = free_port(), free_port()
    places = ["--port", port, "--dashboard-port", dashboard, "--dashboard-agent-listen-port", free_port()]
    places += ["--temp-dir", folder / "ray", "--block"]
    environment = environment | {MARK: mark}
    with (folder / "head.log").open("w") as log:
        head = subprocess.Popen(
            [*RAY, "start", "--head", "--num-cpus", "2", *map(str, places)],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{dashboard}"
        wait_for_dashboard(address, environment, folder / "head.log")
        yield Head(address, environment)
    finally:
        for process in marked(mark):
            process.kill()
        head.wait(30)


RAY = ["python", "-m", "ray.scripts.scripts"]  # the `ray` of the environment's first python


def free_port() -> int:
    """A free TCP port; the system gives none from 10002 to 19999, where Ray's workers take theirs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_dashboard(address: str, environment: dict[str, str], log: Path, timeout: float = 120) -> None:
    """Wait until the head takes jobs: its dashboard answers some seconds before the agent that starts them."""
    end = time.monotonic() + timeout
    while (answer := ray_job("submit", address, environment, "--", "true")).returncode:
        if time.monotonic() > end:
            pytest.fail(f"the head takes no jobs:\n{log.read_text()}\n{answer.stdout}\n{answer.stderr}")
        time.sleep(1)


def ray_job(verb: str, address: str, environment: dict[str, str], *more: str, cwd: Path = ROOT):
    """`ray job VERB --address ... MORE`."""
    command = [*RAY, "job", verb, "--address", address, *more]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def place():
    with short_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def tiny(place):
    return make_tiny(place / "tiny")


@pytest.fixture(scope="module")
def checkout(place) -> Path:
    """A copy of this checkout whose modules tell who imports them."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        (place / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / "checkout" / name)
    for name in WITNESSES.values():
        with (place / "checkout" / name).open("a") as file:
            file.write(WITNESS)
    return place / "checkout"


COUNTED = "worker processes have been started on node"  # a note of the cluster's own, on how many; README says so


def installed_here(place: Path) -> Path:
    """The environment that runs the tests, in which Lethe is installed from the live checkout."""
    return Path(sys.executable).parent


def not_installed(place: Path) -> Path:
    """An environment with all of Lethe's dependencies and without Lethe: an editable install's own .pth is not read."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "bare"], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    (place / "bare" / "lib" / version / "site-packages" / "all.pth").write_text(packages + "\n")
    return place / "bare" / "bin"


@pytest.mark.parametrize(
    ("environment_of", "installed"),
    [(installed_here, True), (not_installed, False)],
    ids=["installed", "not-installed"],
)
def test_a_job_runs_the_uploaded_checkout_in_driver_and_workers(environment_of, installed, place, tiny, checkout):
    name = environment_of.__name__
    folder, journal = place / name[:4], place / f"{name}.journal"
    folder.mkdir()
    environment = tiny.environment(
        HOME=str(folder),
        PATH=f"{environment_of(place)}{os.pathsep}{os.environ['PATH']}",
        RAY_AUTH_MODE="token",
    ) | {JOURNAL: str(journal)}
    assert imports_lethe(environment) == installed
    subprocess.run([*RAY, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True)
    with start_head(folder, environment) as head:
        arguments = [*tiny.flags(), "--trials", "3", "--storage-path", str(folder / "results"), "--json"]
        job = ray_job(
            "submit", head.address, head.environment, "--working-dir", ".", "--",
            "python", "platform/tune_mt.py", *arguments, cwd=checkout,
        )  # fmt: skip
    assert job.returncode == 0, job.stdout + job.stderr
    assert "3/3" in job.stdout
    assert_calm("\n".join(line for line in job.stdout.splitlines() if COUNTED not in line))
    assert len(list((folder / "results").rglob("*.parquet"))) > 0
    imported = [line.split(" ", 2) for line in journal.read_text().splitlines()]
    files = {role: {path for _, _, path in imported if path.endswith(file)} for role, file in WITNESSES.items()}
    # Driver and workers run what Ray unpacked: the upload of the checkout, and the packages that the driver shipped.
    assert all(files.values()), imported
    for path in files["driver"] | files["worker"]:
        assert str(folder / "ray") in path
    assert any("working_dir_files" in path for path in files["driver"])
    assert any("py_modules_files" in path for path in files["worker"])
    points = json.loads(job.stdout[job.stdout.index("\n{\n") : job.stdout.rindex("\n}\n") + 2])["front"]
    assert all(Path(point["weights"]).is_dir() for point in points)


def imports_lethe(environment: dict[str, str]) -> bool:
    """Whether a plain Python of this environment, anywhere else, imports Lethe."""
    found = subprocess.run(["python", "-c", "import lethe"], env=environment, cwd="/", capture_output=True)
    return found.returncode == 0
