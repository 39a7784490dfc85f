"""Whole searches in processes of their own, on a tiny benchmark whose trials take a second."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import psutil
import pytest
from tiny import article, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import write_benchmark
from trainables.runs.resume import PROGRESS
from trainables.subjects.models import save_model

ROOT = Path(__file__).parents[2]
FAIR = {"RAY_worker_niceness": "0"}  # or Ray's processes yield to every other test's, and starve
PATIENCE = 720.0  # seconds for what takes a minute or two where nothing else runs
MARK = "LETHE_TEST_RUN"  # in the environment of a search, and so of every process that it starts
NOISE = ("WARNING", "Traceback", "(raylet", "(pid=", "Warning:", "worker processes have been started")


@dataclass(frozen=True)
class Tiny:
    """A benchmark folder, two models and a cache, all on disk."""

    folder: Path

    def flags(self, steps: int = 2, every: int = 1) -> list[str]:
        """What candidates a search at it, with trials of `steps` steps."""
        settings = (f"steps={steps}", f"eval_every={every}", "batch_size=2")
        places = [part for name, place in self.places().items() for part in (f"--{name}", place)]
        return [*places, "--set", *settings]

    def places(self) -> dict[str, str]:
        """Where the benchmark and its models are, as a Task names them."""
        names = {"benchmark": "data", "model": "target", "retrained": "retrained"}
        return {name: str(self.folder / place) for name, place in names.items()}

    def cache(self) -> str:
        """Lethe's folder in the cache of its searches."""
        return str(self.folder / "cache" / "lethe")

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a search: its own cache, one thread, no cluster of somebody else's."""
        own = {"XDG_CACHE_HOME": str(self.folder / "cache"), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return kept | own | FAIR | more


def make_tiny(folder: Path) -> Tiny:
    """Write the tiny benchmark and its two models."""
    retain = {("raw", "retain1"): [{"text": article(i)} for i in (6, 7, 4, 5)]}
    write_benchmark(folder / "data", tiny_benchmark().splits | retain)
    for seed, name in enumerate(("target", "retrained")):
        save_model(tiny_model(seed, num_hidden_layers=1), tiny_tokenizer(), folder / name)
    return Tiny(folder)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder whose path is short enough for Ray's sockets; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Search:
    """A search that runs: its process, its mark and the file that takes all it prints."""

    process: subprocess.Popen
    mark: str
    output: Path
    errors: Path

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end and return the exit code; kill it and fail where it takes too long."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"no end after {timeout:.0f} s\n{self.printed()}")

    def printed(self) -> str:
        """Everything printed so far."""
        return self.output.read_text("utf-8") + self.errors.read_text("utf-8")

    def descendants(self) -> list[psutil.Process]:
        """Every process below this one."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def named(self, *names: str) -> list[psutil.Process]:
        """Every process of it whose title starts with one of these.

        Each title is read once, since Ray changes it as an actor goes to work and comes back.
        """
        return [process for process in family(self.process, self.mark) if title(process).startswith(names)]

    def end(self) -> None:
        """Kill what is left of it."""
        kill_family(self.process, self.mark)
        self.process.wait()


def start_search(
    arguments: Sequence[str], folder: Path, environment: dict[str, str], script: str = "tune_mt.py"
) -> AbstractContextManager[Search]:
    """Start `python platform/tune_mt.py ...`."""
    return start([sys.executable, f"platform/{script}", *arguments], folder, environment)


@contextmanager
def start(command: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[Search]:
    """Start a command in a process group of its own, as a terminal does; what it prints goes into the folder."""
    mark = uuid.uuid4().hex
    output, errors = folder / f"{mark}.out", folder / f"{mark}.err"
    with output.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment | {MARK: mark, "RAY_TMPDIR": str(folder)},
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    search = Search(process, mark, output, errors)
    try:
        yield search
    finally:
        search.end()


def title(process: psutil.Process) -> str:
    """Its command line; "" where it is gone by now."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def marked(mark: str) -> list[psutil.Process]:
    """Every live process that carries a search's mark."""
    return [process for process in psutil.process_iter() if mark_of(process) == mark]


def family(process: subprocess.Popen, mark: str) -> list[psutil.Process]:
    """Every live process below this one or with this mark, over which a title that Ray gave may lie."""
    ended = process.poll() is not None  # its number may be another's by now
    below = [] if ended else psutil.Process(process.pid).children(recursive=True)
    return list({found.pid: found for found in [*below, *marked(mark)]}.values())


def kill_family(process: subprocess.Popen, mark: str) -> None:
    """kill -9 of all of them; the first ones may take others with them."""
    for one in family(process, mark):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def mark_of(process: psutil.Process) -> str | None:
    """The mark of the search or node that a process belongs to."""
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def left_over(processes: Sequence[psutil.Process], mark: str, patience: float = 300) -> list[str]:
    """What still lives of a search after `patience` seconds; Ray's agents outlive a killed driver by up to a minute."""
    end = time.monotonic() + patience
    while alive := [p for p in [*processes, *marked(mark)] if p.is_running() and _state(p) != psutil.STATUS_ZOMBIE]:
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    return [f"{p.pid} {p.name()}" for p in alive]


def _state(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.Error:
        return psutil.STATUS_ZOMBIE


def wait_until(ready: Callable[[], bool], search: Search, timeout: float = PATIENCE, every: float = 0.02) -> None:
    """Look every so many seconds whether something holds, until it does.

    Where the search ends before, or it takes too long, fail with what was printed.
    """
    end = time.monotonic() + timeout
    while not ready():
        if search.process.poll() is not None or time.monotonic() > end:
            code = search.process.poll()
            raise AssertionError(f"the search ended (exit code {code}) or is too slow:\n{search.printed()}")
        time.sleep(every)


def under_way(results: Path, least: int) -> Path | None:
    """The folder of a trial, numbered `least` or more, that runs and has saved its state; a look costs next to nothing."""
    folders = sorted(file.parents[1] for file in results.glob(f"*/trial-*/{PROGRESS}"))
    return next((folder for folder in folders if int(folder.name.removeprefix("trial-")) >= least), None)


def steps_done(results: Path) -> int:
    """Up to which step the state of a trial that runs is saved; 0 where none is."""
    folder = under_way(results, least=0)
    return json.loads((folder / PROGRESS).read_text())["step"] if folder else 0


def trials_of(storage: str, name: str) -> list[optuna.trial.FrozenTrial]:
    """A study's trials, or none where it does not exist yet."""
    file = Path(storage.removeprefix("sqlite:///"))
    if not file.exists() or not _has_studies(file):
        return []
    try:
        return optuna.load_study(study_name=name, storage=storage).trials
    except KeyError:
        return []


def _has_studies(file: Path) -> bool:
    """Whether the search has made its tables; to look by Optuna would make them at the same time."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall())


def interrupt(search: Search) -> None:
    """What Ctrl-C on a terminal does: SIGINT to the whole process group."""
    os.killpg(search.process.pid, signal.SIGINT)


def assert_calm(text: str) -> None:
    """Nothing of Ray's noise, and no traceback."""
    noisy = [line for line in text.splitlines() if any(noise in line for noise in NOISE)]
    assert noisy == [], text
