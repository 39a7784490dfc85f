"""A cluster for real, as docs/cluster.md says it: jobs, which copy of the code runs where, a lost node, a stranger's script."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from clusters import RAY, Head, Node, follow_job, start_head, start_node, stop, submit
from searching import ROOT, assert_calm, mark_of, steps_done, trials_of, wait_until
from snippets import on_tiny, snippet

from lethe.store.trials import is_interrupted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SETTINGS = {
    "RAY_health_check_period_ms": "500",  # a lost node is noticed in three seconds, not fifteen
    "RAY_JOB_STOP_WAIT_TIME_S": "60",  # docs/cluster.md: between a job's SIGTERM and its SIGKILL
}
JOURNAL = "LETHE_TEST_JOURNAL"
WITNESS = f'''

with __import__("contextlib").suppress(KeyError), open(__import__("os").environ["{JOURNAL}"], "a") as _journal:
    _journal.write(f"{{__name__}} {{__import__('os').getpid()}} {{__file__}}\\n")
'''  # appended to the checkout's modules only: whoever imports another copy leaves no line
WITNESSES = {"driver": "platform/lethe/search/study.py", "worker": "trainables/runs/unlearning.py"}


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


@pytest.fixture(scope="module")
def head(place, tiny) -> Iterator[Head]:
    """A cluster of one node, with a token, in an environment in which Lethe may be installed or not."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    install(place, lethe=False)
    folder = place / "cluster"
    folder.mkdir()
    path = f"{place / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = tiny.environment(HOME=str(folder), PATH=path, RAY_AUTH_MODE="token")
    environment |= {JOURNAL: str(folder / "journal"), **SETTINGS}
    subprocess.run([*RAY, "get-auth-token", "--generate"], env=environment, check=True, capture_output=True)
    with start_head(folder, environment) as head:
        yield head


def install(place: Path, *, lethe: bool) -> None:
    """Give the environment the packages of the one that runs the tests, with Lethe, from the live checkout, or without.

    An editable install is a .pth file, which Python reads in a site folder, and not in one that is merely on the path.
    """
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    own = place / "venv" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (own / "all.pth").write_text(f"import site; site.addsitedir({packages!r})\n" if lethe else f"{packages}\n")


def imports_lethe(head: Head) -> bool:
    """Whether a plain Python of the cluster's environment, anywhere else, imports Lethe."""
    found = subprocess.run(["python", "-c", "import lethe"], env=head.environment, cwd="/", capture_output=True)
    return found.returncode == 0


def assert_uploaded_code_ran(head: Head) -> None:
    """Driver and workers ran what Ray unpacked: the upload of the checkout, and the packages that the driver shipped.

    What is written down of the job is taken away, so that the next one writes its own.
    """
    journal = Path(head.environment[JOURNAL])
    imported = [line.split(" ", 2) for line in journal.read_text().splitlines()]
    journal.unlink()
    files = {role: {path for _, _, path in imported if path.endswith(file)} for role, file in WITNESSES.items()}
    assert all(files.values()), imported
    for path in files["driver"] | files["worker"]:
        assert str(head.folder / "ray") in path
    assert any("working_dir_files" in path for path in files["driver"])
    assert any("py_modules_files" in path for path in files["worker"])


def workers(nodes: list[Node | Head]) -> int:
    """How many Ray Train workers live on these nodes."""
    marks = {node.mark for node in nodes}
    found = [p for p in psutil.process_iter(["name"]) if p.info["name"].startswith("ray::RayTrainWorker")]
    return sum(mark_of(process) in marks for process in found)


def test_a_job_without_an_installed_project_shrinks_with_a_lost_node_grows_with_a_new_one_and_is_stopped(
    place, tiny, checkout, head
):
    install(place, lethe=False)
    assert not imports_lethe(head)
    results = place / "elastic"
    search = [*tiny.flags(steps=100_000, every=20), "--stop", "none", "--trials", "1", "--storage-path", str(results)]
    search += ["--workers", "1:2", "--cpus-per-worker", "1.5"]  # no two on one node
    with (
        start_node(head) as lost,
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
        with start_node(head) as back:
            nodes.append(back)
            until(2)
            stop(head)
        job.wait()
    assert done == sorted(done)
    assert "failed: " not in job.printed()
    assert job.printed().count("goes on from its last candidate") >= 2, job.printed()  # with one worker, and with two
    assert job.printed().count("interrupted") == 1, job.printed()
    assert_calm(job.printed())
    assert_uploaded_code_ran(head)
    (trial,) = trials_of(f"sqlite:///{results}/studies.db", "data")
    assert is_interrupted(trial)


def test_a_job_of_an_installed_project_runs_the_uploaded_checkout_and_gives_a_front(place, tiny, checkout, head):
    install(place, lethe=True)
    assert imports_lethe(head)
    search = [*tiny.flags(), "--stop", "none", "--trials", "3", "--concurrent", "1", "--json"]
    search += ["--storage-path", str(place / "installed")]
    job = submit(head, "--working-dir", ".", "--", "python", "platform/tune_mt.py", *search, cwd=checkout)
    assert job.returncode == 0, job.stdout + job.stderr
    assert "3/3" in job.stdout
    assert_calm(job.stdout)
    assert_uploaded_code_ran(head)
    candidates = json.loads(job.stdout[job.stdout.index("\n{\n") : job.stdout.rindex("\n}\n") + 2])["front"]
    assert all(Path(candidate["weights"]).is_dir() for candidate in candidates)


STRANGER = """
{tuner}
assert not results.errors, results.errors
{trainer}
"""
FOLDERS = {"TorchTrainer(": ["/tmp/run"], "warm(session": ["/tmp/trials/ray", "/tmp/trials/0", "/tmp/trials/1"]}


def test_the_adapters_of_the_docs_run_as_a_stranger_uses_them_on_a_cluster(place, tiny, head):
    """Both in one script, on a Ray that knows nothing of Lethe's settings."""
    install(place, lethe=True)
    snippets = {word: on_tiny(snippet(word), tiny) for word in FOLDERS}
    for word, folders in FOLDERS.items():
        for folder in folders:
            assert f'"{folder}"' in snippets[word]
            snippets[word] = snippets[word].replace(f'"{folder}"', repr(folder.replace("/tmp", str(place))))
    trainer, tuner = snippets.values()
    script = place / "stranger.py"
    script.write_text(STRANGER.format(trainer=trainer, tuner=tuner))
    environment = head.environment | {"RAY_ADDRESS": head.gcs}
    run = subprocess.run(["python", script], env=environment, cwd=place, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    candidates = sorted(f"step-{step:05d}-{role}" for step in (2, 4) for role in ("student", "teacher"))
    for folder in ("run", "trials/0", "trials/1"):
        assert sorted(file.parent.name for file in (place / folder).glob("step-*/model.safetensors")) == candidates
