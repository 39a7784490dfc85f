"""What holds for every test."""

import gc
import os

gc.disable()  # until all is loaded: what is imported is no garbage, and to look through it takes a seventh of the time
os.environ.setdefault("OMP_NUM_THREADS", "1")  # read as torch is loaded: tiny models are four times as slow on two

from lethe.cluster.cores import share_cores  # noqa: E402

os.environ |= share_cores(os.environ)  # also for what the tests start, which may have more threads

from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from signal import SIGINT, SIGTERM, default_int_handler, getsignal, signal  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# Nothing heavy is loaded here: the process that hands the tests out to others waits for it, and they wait for that.
if TYPE_CHECKING:
    from searching import Tiny

settings.register_profile("lethe", deadline=None)  # no test measures time
settings.load_profile("lethe")


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, and never again among what was loaded."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, so that two processes that share the tests are done at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def hub(monkeypatch) -> None:
    """A hub that has every id that is asked for, and is not reached: no test depends on a network."""
    from trainables.hub import is_silent

    is_silent.cache_clear()
    for question in ("dataset_info", "model_info"):
        monkeypatch.setattr(f"huggingface_hub.HfApi.{question}", lambda *_, **__: SimpleNamespace(sha="newest"))


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Every test finds Ctrl-C as Python has it; what a command of a test put on it and on SIGTERM is taken off again."""
    signal(SIGINT, default_int_handler)  # who starts the tests in the background has it ignored
    before = {number: getsignal(number) for number in (SIGINT, SIGTERM)}
    yield
    for number, handler in before.items():
        signal(number, handler)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder of a module's own, short enough for Ray's sockets."""
    from searching import short_folder

    with short_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def tiny() -> Iterator["Tiny"]:
    """A benchmark and two models whose trials take a second, and whose reference scores are in the cache."""
    from searching import make_tiny, short_folder

    from trainables.benchmarks.small_models import one_thread
    from trainables.runs.unlearning import load_task
    from trainables.task import Task

    with short_folder() as folder:
        made = make_tiny(folder)
        with one_thread():
            load_task(Task(**made.places(), cache=made.cache()))
        yield made
