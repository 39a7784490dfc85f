"""`ray job submit` for real, as the README says it, and the proof of which copy of the code runs where."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from clusters import RAY, start_head, start_node, submit
from searching import ROOT, assert_calm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
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
    ("environment_of", "installed", "nodes"),
    [(installed_here, True, 1), (not_installed, False, 2)],
    ids=["installed, one node", "not installed, two nodes"],
)
def test_a_job_runs_the_uploaded_checkout_in_driver_and_workers(
    environment_of, installed, nodes, place, tiny, checkout
):
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
    with ExitStack() as cluster:
        head = cluster.enter_context(start_head(folder, environment, cpus=0 if nodes > 1 else 2))
        for _ in range(nodes - 1):  # then the head has no CPU, and all workers are on the other node
            cluster.enter_context(start_node(head))
        arguments = [*tiny.flags(), "--trials", "3", "--storage-path", str(folder / "results"), "--json"]
        arguments += ["--workers", str(nodes)]
        job = submit(head, "--working-dir", ".", "--", "python", "platform/tune_mt.py", *arguments, cwd=checkout)
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
