"""What the end of a trial costs by how many there were before it, and what it costs to resume; no model, no Ray.

    python -m measurements.trial_end --trials 10000 --candidates 10 [--storage postgresql://...]

A study with the random sampler, in SQLite in a temporary folder or in an empty database; every trial has candidates of
14 scores. Timed is what a search does of itself when a trial ends: tell it, keep the front's weights, ask for the next
one; apart from that, draw the front; and what a driver waits for that resumes. Prints seconds of the processor and of
the clock, of several trials the median, and the most memory that this process had.
"""

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import optuna

from lethe.display import front_table
from lethe.display.console import open_console
from lethe.display.progress import Progress
from lethe.search.ledger import Ledger
from lethe.search.upkeep import Upkeep
from lethe.store.storage import open_storage
from lethe.store.study_folder import StudyFolder
from measurements.big_store import FACTS, NAME, SPACE, made_up, make_store

FIRST, TIMED = 10, 15
Seconds = tuple[float, float]  # of the processor, of the clock


def candidates(params: dict[str, float], count: int, rng: random.Random) -> list[dict[str, Any]]:
    """The candidates of a trial, with made-up scores."""
    return [
        {
            "axis": "step",
            "at": 10 * (i // 2 + 1),
            "role": ("student", "teacher")[i % 2],
            "scores": made_up(rng, params, (i + 1) / count),
            "weights": None,
            "items": f"/none/step-{i}.parquet",
        }
        for i in range(count)
    ]


def ends(ledger: Ledger, folder: Path, count: int, rng: random.Random) -> tuple[Seconds, Seconds]:
    """How long the end of a trial and the beginning of the next took, and the table after it: medians."""
    place = str(folder / "weights")
    drawing: list[Seconds] = []
    progress = Progress(open_console(), FACTS, 0, 0, 1, lambda: drawn(ledger))
    progress._say = lambda line: None  # type: ignore[method-assign]  # draws, and prints nothing

    def finished(number: int, failure: str | None) -> None:
        took, _ = timed(lambda: Progress.finished(progress, number, failure))
        drawing.append(took)

    progress.finished = finished  # type: ignore[method-assign]
    upkeep = Upkeep(ledger, progress, StudyFolder(place), lambda number: f"{place}/trial-{number}")
    number, params = ledger.ask()
    took: list[Seconds] = []
    for _ in range(TIMED):
        upkeep.started(number, params)
        for candidate in candidates(params, count, rng):
            ledger.record(number, candidate)
            upkeep.scored(number, candidate)
        ended = number
        whole, (number, params) = timed(lambda n=ended: (upkeep.finished(n, ledger.tell(n)), ledger.ask())[1])
        took.append((whole[0] - drawing[-1][0], whole[1] - drawing[-1][1]))
    ledger.tell(number, "not run")
    return middle(took), middle(drawing)


def middle(took: list[Seconds]) -> Seconds:
    """Medians."""
    return median(own for own, _ in took), median(clock for _, clock in took)


def drawn(ledger: Ledger) -> Any:
    """What a search shows after every trial."""
    candidates = ledger.front()
    volume = front_table.volume(candidates, ledger.facts)
    return front_table.draw_front(candidates, ledger.facts, list(SPACE), most=8), f"hypervolume {volume:.3f}"


def timed(do: Callable[[], Any]) -> tuple[Seconds, Any]:
    """How long something took, and what came of it."""
    began, clock = time.process_time(), time.perf_counter()
    made = do()
    return (time.process_time() - began, time.perf_counter() - clock), made


def resumed(url: str) -> Ledger:
    """What a driver does that resumes: the trials are read, what was interrupted is queued, the front is found."""
    ledger = Ledger.resume(open_storage(url), NAME, SPACE)
    ledger.front()
    return ledger


def show(what: str, took: Seconds) -> None:
    """Print one line."""
    print(f"{what:<44} {took[0]:7.3f} s of the processor {took[1]:7.3f} s of the clock", flush=True)


def measure(url: str, folder: Path, trials: int, count: int) -> None:
    """Measure the first and the last trials of a study."""
    rng = random.Random(0)
    make_store(url, FIRST, count)
    early, _ = ends(resumed(url), folder, count, rng)
    show(f"trial {FIRST} ends, and the next begins", early)
    empty(url)
    make_store(url, trials - TIMED, count)
    resuming, ledger = timed(lambda: resumed(url))
    show(f"resuming with {trials:,} trials", resuming)
    late, table = ends(ledger, folder, count, rng)
    show(f"trial {trials:,} ends, and the next begins", late)
    show(f"the live table, {len(ledger.front())} on the front", table)
    print(f"memory, at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def empty(url: str) -> None:
    """Remove the study that was measured first."""
    optuna.delete_study(study_name=NAME, storage=open_storage(url))


def main() -> None:
    """Measure in SQLite, or where it is said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--storage", help="an empty database; default: SQLite in a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.storage or f"sqlite:///{folder}/studies.db"
        measure(url, Path(folder), given.trials, given.candidates)


if __name__ == "__main__":
    main()
