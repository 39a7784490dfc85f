"""Every fault a cluster knows, done to real searches: what was finished stays, what ran goes on, the end is the same.

    python tests/faults.py [--times 3] [--only "worker killed"]        # about six minutes a round; prints a table

A fault is done while a trial runs that has scored candidates. Afterwards the study has to hold the very trials, bit
for bit, of a search that nothing happened to, none lost and none doubled; and the trial that was hit must not have
begun anew: what it wrote before the fault is older than the fault.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(folder) for folder in (ROOT / "tests" / "helpers", ROOT, ROOT / "platform")]

import optuna  # noqa: E402
import psutil  # noqa: E402
from clusters import start_head, start_node  # noqa: E402
from disks import fill, small_disk  # noqa: E402
from optuna.trial import FrozenTrial, TrialState  # noqa: E402
from plain_loop import Outcome, outcome  # noqa: E402
from postgres import Server, start_postgres  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from searching import Search, Tiny, make_tiny, short_folder, start_search, title, trials_of, under_way, wait_until  # noqa: E402

from lethe.store.storage import open_storage  # noqa: E402
from lethe.store.trials import FAILURE, is_interrupted  # noqa: E402
from trainables.runs.resume import PROGRESS  # noqa: E402

TRIALS = 4
SEED = ["--seed", "3", "--stop", "none", "--concurrent", "1", "--trials", str(TRIALS), "--resume"]
LENGTH = {"steps": 24, "every": 6}
AWAY_S = 3

Expected = Callable[[str], Outcome]  # what the study of a store has to come to


@dataclass(frozen=True)
class Place:
    """Where a fault happens: a folder of its own, the tiny benchmark, and the study that nothing happened to."""

    folder: Path
    tiny: Tiny
    server: str | None = None  # URL of a PostgreSQL server that keeps the study

    def arguments(self) -> list[str]:
        """The flags of the search."""
        flags = [*self.tiny.flags(**LENGTH), *SEED, "--storage-path", str(self.results)]
        return [*flags, "--storage", self.storage()]

    @property
    def results(self) -> Path:
        """Where weights and outputs go."""
        return self.folder / "results"

    def storage(self) -> str:
        """The study store."""
        return self.server or f"sqlite:///{self.folder}/studies.db"

    @contextmanager
    def search(self, *, arguments: list[str] | None = None, **environment: str) -> Iterator[Search]:
        """A search in this place."""
        self.folder.mkdir(exist_ok=True)
        with start_search(arguments or self.arguments(), self.folder, self.tiny.environment(**environment)) as search:
            yield search


@dataclass(frozen=True)
class Struck:
    """When a fault was done, and what the trial that it hit had written by then."""

    at: float
    written: list[Path]


def study_of(storage: str) -> optuna.Study:
    """A search's study; of a server's, no connection stays open."""
    return optuna.load_study(study_name="data", storage=open_storage(storage))


def came_of(storage: str) -> Outcome:
    """What came of a search's study."""
    return outcome(study_of(storage))


def strike(results: Path, search: Search, blow: Callable[[], None], least: int = 1) -> Struck:
    """Wait for a trial, numbered `least` or more, to have scored candidates, and do it."""
    written: list[Path] = []
    wait_until(lambda: bool(written.extend(scored(results, least)) or written), search)
    blow()
    return Struck(time.time(), written)


def scored(results: Path, least: int) -> list[Path]:
    """The items of all candidates that such a trial has scored; none where none runs, or it ended as one looked."""
    try:
        folder = under_way(results, least)
        progress = json.loads((folder / PROGRESS).read_text()) if folder else {"results": []}
    except FileNotFoundError:
        return []
    return [Path(candidate["items"]) for result in progress["results"] for candidate in result["candidates"]]


def kill(search: Search, *names: str) -> None:
    """kill -9 every process of a search whose name starts so."""
    found = search.named(*names)
    assert found, f"no process {names} among {[title(process) for process in search.named('ray::')]}"
    for process in found:
        process.kill()


def assert_same(place: Place, expected: Expected, struck: Struck, bits: bool = True) -> None:
    """The study is as if nothing had happened, and no trial that was hit began anew.

    Without `bits` only the parameters and steps of the trials have to be the same, not the scores.
    """
    found = came_of(place.storage())
    assert len(found) == TRIALS, f"{len(found)} of {TRIALS} trials are complete"
    wanted = expected(place.storage())
    if not bits:
        found, wanted = ([(params, len(candidates)) for params, candidates in runs] for runs in (found, wanted))
    assert found == wanted, "the trials are not those of an undisturbed search"
    assert all(file.stat().st_mtime < struck.at for file in struck.written), "the trial that was hit began anew"


def nothing(place: Place) -> Outcome:
    """The undisturbed search."""
    with place.search() as search:
        assert search.wait() == 0, search.printed()
    return came_of(place.storage())


def hit(place: Place, expected: Expected, blow: Callable[[Search], None]) -> None:
    """A search whose second trial is hit."""
    with place.search() as search:
        struck = strike(place.results, search, partial(blow, search))
        assert search.wait() == 0, search.printed()
    assert_same(place, expected, struck)


def kill_worker(search: Search) -> None:
    """kill -9 of a Ray Train worker."""
    kill(search, "ray::RayTrainWorker")


def kill_actor(search: Search) -> None:
    """kill -9 of the trial's own actor."""
    kill(search, "ray::ResourceTrainable", "ray::WarmTrainable")  # at work, and while it waits


def kill_server(server: Server, search: Search) -> None:
    """kill -9 of every process of the PostgreSQL server that keeps the study, and its start some seconds later."""
    server.kill()
    time.sleep(AWAY_S)
    server.start()


def worker_killed(place: Place, expected: Expected) -> None:
    """kill -9 of a Ray Train worker."""
    hit(place, expected, kill_worker)


def actor_killed(place: Place, expected: Expected) -> None:
    """kill -9 of the trial's own actor."""
    hit(place, expected, kill_actor)


def server_killed(place: Place, expected: Expected) -> None:
    """kill -9 of the PostgreSQL server."""
    with start_postgres() as server:
        hit(replace(place, server=server.url()), expected, partial(kill_server, server))


def one_of_two_killed(place: Place, expected: Expected) -> None:
    """kill -9 of one of the two Ray Train workers that every trial has."""

    def one(search: Search) -> None:
        workers = search.named("ray::RayTrainWorker")
        assert len(workers) == 2, f"{len(workers)} workers"
        workers[1].kill()

    with place.search(arguments=[*place.arguments(), "--workers", "2"]) as search:
        struck = strike(place.results, search, lambda: one(search))
        assert search.wait() == 0, search.printed()
    assert_same(place, expected, struck, bits=False)


def driver_killed(place: Place, expected: Expected) -> None:
    """kill -9 of the driver, and the same command again."""
    with place.search() as search:
        struck = strike(place.results, search, lambda: os.kill(search.process.pid, signal.SIGKILL))
        assert search.wait() == -signal.SIGKILL
    with place.search() as search:
        assert search.wait() == 0, search.printed()
    assert_same(place, expected, struck)


def node_killed(place: Place, expected: Expected) -> None:
    """kill -9 of a whole second Ray node, on which the workers are, and another one in its place."""
    place.folder.mkdir(exist_ok=True)
    joining = {"HOME": str(place.folder), "RAY_AUTH_MODE": "disabled"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = place.tiny.environment(PATH=path, **joining)
    with (
        start_head(place.folder, environment, cpus=0) as head,
        start_node(head) as node,
        place.search(RAY_ADDRESS=head.gcs, **joining) as search,
    ):
        struck = strike(place.results, search, node.kill)
        with start_node(head):
            assert search.wait() == 0, search.printed()
    assert_same(place, expected, struck)


def disk_full(place: Place, expected: Expected) -> None:
    """A disk that is full when a trial writes: it fails with the reason, as do those that begin until there is room."""
    place.folder.mkdir(exist_ok=True)
    with small_disk(place.results) as disk:
        ballast = disk / "ballast"
        with place.search() as search:
            strike(place.results, search, lambda: fill(ballast))
            wait_until(lambda: failed(place.storage()), search, every=0.1)
            ballast.unlink()
            assert search.wait() == 0, search.printed()
    lost = failed(place.storage())
    assert 1 <= len(lost) < TRIALS, f"{len(lost)} of {TRIALS} trials failed"
    for trial in lost:
        assert "No space left" in trial.user_attrs[FAILURE], trial.user_attrs[FAILURE]
    spared = [run for run in expected(place.storage()) if run[0] not in [trial.params for trial in lost]]
    assert spared == came_of(place.storage())


def failed(storage: str) -> list[FrozenTrial]:
    """Trials that failed by themselves."""
    return [t for t in trials_of(storage, "data") if t.state == TrialState.FAIL and not is_interrupted(t)]


FAULTS: dict[str, Callable[[Place, Expected], None]] = {
    "worker killed": worker_killed,
    "one of two workers killed": one_of_two_killed,
    "trial's actor killed": actor_killed,
    "driver killed": driver_killed,
    "second node killed": node_killed,
    "PostgreSQL killed": server_killed,
    "disk full": disk_full,
}


def main() -> None:
    """Do every fault so many times, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", choices=FAULTS)
    arguments = parser.parse_args()
    chosen = {name: fault for name, fault in FAULTS.items() if arguments.only in (None, name)}
    table = Table("fault", "times", "as if nothing had happened", "seconds each", "what went wrong")
    with short_folder() as folder:
        tiny = make_tiny(folder / "tiny")
        undisturbed = nothing(Place(folder / "none", tiny))
        for name, fault in chosen.items():
            good, wrong, begun = 0, "", time.monotonic()
            for round_ in range(arguments.times):
                try:
                    fault(Place(folder / f"{list(FAULTS).index(name)}{round_}", tiny), lambda _: undisturbed)
                    good += 1
                except (AssertionError, psutil.Error, OSError) as error:
                    wrong = str(error).splitlines()[0]
            seconds = (time.monotonic() - begun) / arguments.times
            table.add_row(name, str(arguments.times), str(good), f"{seconds:.0f}", wrong)
            Console(stderr=True).print(f"{name}: {good} of {arguments.times}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
