"""`ray job submit` for real, as the README says it: which copy of the code runs where, and what a lost node costs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from clusters import RAY, Head, Node, follow_job, start_head, start_node, stop, submit
from searching import ROOT, assert_calm, mark_of, steps_done, trials_of, wait_until

from lethe import store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SETTINGS = {
    "RAY_health_check_period_ms": "500",  # a lost node is noticed in three seconds, not fifteen
    "RAY_JOB_STOP_WAIT_TIME_S": "60",  # README: between a job's SIGTERM and its SIGKILL
}
JOURNAL = "LETHE_TEST_JOURNAL"
WITNESS = f'''

with __import__("contextlib").suppress(KeyError), open(__import__("os").environ["{JOURNAL}"], "a") as _journal:
    _journal.write(f"{{__name__}} {{__import__('os').getpid()}} {{__file__}}\\n")
'''  # appended to the checkout's modules only: whoever imports another copy leaves no line
WITNESSES = {"driver": "platform/lethe/study.py", "worker": "trainables/unlearning.py"}


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


def installed_here() -> Path:
    """The environment that runs the tests, in which Lethe is installed from the live checkout."""
    return Path(sys.executable).parent


def not_installed(place: Path) -> Path:
    """An environment with all of Lethe's dependencies and without Lethe: an editable install's own .pth is not read."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "bare"], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    (place / "bare" / "lib" / version / "site-packages" / "all.pth").write_text(packages + "\n")
    return place / "bare" / "bin"


def job_environment(folder: Path, programs: Path, tiny) -> dict[str, str]:
    """Where a head runs: the environment whose programs these are, with a token and a journal of who imports what."""
    folder.mkdir()
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = tiny.environment(HOME=str(folder), PATH=path, RAY_AUTH_MODE="token")
    environment |= {JOURNAL: str(folder / "journal"), **SETTINGS}
    subprocess.run([*RAY, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True)
    return environment


def assert_uploaded_code_ran(folder: Path) -> None:
    """Driver and workers ran what Ray unpacked: the upload of the checkout, and the packages that the driver shipped."""
    imported = [line.split(" ", 2) for line in (folder / "journal").read_text().splitlines()]
    files = {role: {path for _, _, path in imported if path.endswith(file)} for role, file in WITNESSES.items()}
    assert all(files.values()), imported
    for path in files["driver"] | files["worker"]:
        assert str(folder / "ray") in path
    assert any("working_dir_files" in path for path in files["driver"])
    assert any("py_modules_files" in path for path in files["worker"])


def test_a_job_of_an_installed_project_runs_the_uploaded_checkout_and_gives_a_front(place, tiny, checkout):
    folder = place / "one"
    environment = job_environment(folder, installed_here(), tiny)
    assert imports_lethe(environment)
    search = [*tiny.flags(), "--trials", "3", "--concurrent", "1", "--json"]
    search += ["--storage-path", str(folder / "results")]
    with start_head(folder, environment) as head:
        job = submit(head, "--working-dir", ".", "--", "python", "platform/tune_mt.py", *search, cwd=checkout)
    assert job.returncode == 0, job.stdout + job.stderr
    assert "3/3" in job.stdout
    assert_calm(job.stdout)
    assert_uploaded_code_ran(folder)
    points = json.loads(job.stdout[job.stdout.index("\n{\n") : job.stdout.rindex("\n}\n") + 2])["front"]
    assert all(Path(point["weights"]).is_dir() for point in points)


def workers(nodes: list[Node | Head]) -> int:
    """How many Ray Train workers live on these nodes."""
    marks = {node.mark for node in nodes}
    found = [p for p in psutil.process_iter(["name"]) if p.info["name"].startswith("ray::RayTrainWorker")]
    return sum(mark_of(process) in marks for process in found)


def test_a_job_without_an_installed_project_shrinks_with_a_lost_node_grows_with_a_new_one_and_is_stopped(
    place, tiny, checkout
):
    folder, results = place / "two", place / "two" / "results"
    environment = job_environment(folder, not_installed(place), tiny)
    assert not imports_lethe(environment)
    search = [*tiny.flags(steps=100_000, every=20), "--trials", "1", "--workers", "1:2", "--storage-path", str(results)]
    with (
        start_head(folder, environment, cpus=1) as head,
        start_node(head, cpus=1) as lost,
        follow_job(head, "--working-dir", ".", "--", "python", "platform/tune_mt.py", *search, cwd=checkout) as job,
    ):
        nodes, done = [head, lost], []

        def until(count: int) -> None:
            """Wait until a group of this many workers has brought the trial further than it was."""
            wait_until(lambda: workers(nodes) == count, job, every=0.2)
            before = steps_done(results)
            wait_until(lambda: steps_done(results) > before and workers(nodes) == count, job, every=0.2)
            done.append(steps_done(results))

        until(2)
        lost.kill()
        until(1)
        with start_node(head, cpus=1) as back:
            nodes.append(back)
            until(2)
            stop(head)
        job.wait(60)
    assert done == sorted(done)
    assert "failed: " not in job.printed()
    assert job.printed().count("goes on from its last checkpoint") >= 2, job.printed()  # with one worker, and with two
    assert job.printed().count("interrupted") == 1, job.printed()
    assert_calm(job.printed())
    assert_uploaded_code_ran(folder)
    (trial,) = trials_of(f"sqlite:///{results}/studies.db", "data")
    assert store.is_interrupted(trial)


def imports_lethe(environment: dict[str, str]) -> bool:
    """Whether a plain Python of this environment, anywhere else, imports Lethe."""
    found = subprocess.run(["python", "-c", "import lethe"], env=environment, cwd="/", capture_output=True)
    return found.returncode == 0
