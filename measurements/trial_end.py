"""What the end of a trial costs by how many there were before it, and what it costs to resume; no model, no Ray.

    python -m measurements.trial_end --trials 2000

A study with the random sampler in SQLite in a temporary folder; every trial has 6 candidates of 14 scores. Timed is
what a search does of itself when a trial ends: tell it, keep the front's weights, draw the front, ask for the next one.
Prints seconds of the processor, which a busy machine moves less than those of the clock: of five trials the median, and
how many times as long the last ones took as the first.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from lethe.display import front_table
from lethe.display.console import open_console
from lethe.display.progress import Progress
from lethe.fronts.objectives import Constraint, Objective
from lethe.search.ledger import Ledger
from lethe.search.upkeep import Upkeep
from lethe.store.facts import Facts
from lethe.store.storage import open_storage
from lethe.store.study_folder import StudyFolder

GOALS = {"verbmem_f": "minimize", "knowmem_f": "minimize", "privleak": "zero", "knowmem_r": "maximize"}
SCORES = (*GOALS, "utility", *(f"mia_min_{k}" for k in range(10, 100, 10)))
SPACE = {"lr": ("log_uniform", 0.01, 1.0), "delta": ("uniform", 0.0, 1.0)}
FACTS = Facts(
    objectives=tuple(Objective(score=score, goal=goal) for score, goal in GOALS.items()),
    constraints=(Constraint(score="utility", floor=50.0),),
    sampler="random",
    seed=0,
)
FIRST, TIMED = 10, 5


def candidates(rng: random.Random) -> list[dict[str, Any]]:
    """Six candidates of made-up scores: a few in a hundred come onto the front."""
    values = [{score: rng.uniform(0, 100) for score in SCORES} for _ in range(6)]
    return [
        {
            "axis": "step",
            "at": 10 * (i // 2 + 1),
            "role": ("student", "teacher")[i % 2],
            "scores": {score: [v, v - 5, v + 5] for score, v in made.items()},
            "weights": None,
            "items": f"/none/step-{i}.parquet",
        }
        for i, made in enumerate(values)
    ]


def fill(ledger: Ledger, trials: int, rng: random.Random) -> None:
    """Add complete trials."""
    for _ in range(trials):
        ledger.take_over({"lr": rng.uniform(0.01, 1), "delta": rng.random()}, candidates(rng), {})


def ends(ledger: Ledger, folder: Path, rng: random.Random) -> list[float]:
    """How long the end of each of some trials took, and the beginning of the next, in seconds of the processor."""
    place = str(folder / "weights")
    progress = Progress(open_console(), FACTS, 0, 0, 1, lambda: drawn(ledger))
    progress._say = lambda line: None  # type: ignore[method-assign]  # draws, and prints nothing
    upkeep = Upkeep(ledger, progress, StudyFolder(place), lambda number: f"{place}/trial-{number}")
    number, params = ledger.ask()
    took = []
    for _ in range(TIMED):
        upkeep.started(number, params)
        for candidate in candidates(rng):
            ledger.record(number, candidate)
            upkeep.scored(number, candidate)
        began = time.process_time()
        upkeep.finished(number, ledger.tell(number))
        number, params = ledger.ask()
        took.append(time.process_time() - began)
    ledger.tell(number, "not run")
    return took


def drawn(ledger: Ledger) -> Any:
    """What a search shows after every trial."""
    candidates = ledger.front()
    volume = front_table.volume(candidates, ledger.facts)
    return front_table.draw_front(candidates, ledger.facts, list(SPACE), most=8), f"hypervolume {volume:.3f}"


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    """How long something took, in seconds of the processor, and what came of it."""
    began = time.process_time()
    made = do()
    return time.process_time() - began, made


def main() -> None:
    """Measure the first and the last trials of a study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as name:
        folder, rng = Path(name), random.Random(0)
        url = f"sqlite:///{folder}/studies.db"
        ledger = Ledger.create(open_storage(url), "ends", FACTS, SPACE)
        fill(ledger, FIRST, rng)
        early = median(ends(ledger, folder, rng))
        print(f"trial {FIRST:>5} ended in {early:6.3f} s", flush=True)
        fill(ledger, trials - FIRST - TIMED - 1, rng)
        resuming, ledger = timed(lambda: Ledger.resume(open_storage(url), "ends", SPACE))
        print(f"resumed with {trials} trials in {resuming:6.2f} s", flush=True)
        late = median(ends(ledger, folder, rng))
        candidates = ledger.front()
        print(f"trial {trials:>5} ended in {late:6.3f} s, {late / early:.1f} times; {len(candidates)} on the front")


if __name__ == "__main__":
    main()
