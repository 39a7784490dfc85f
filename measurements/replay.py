"""A search replayed on a table of runs: the house's own ledger, searcher and rule, a clock that is simulated, no Ray.

Several workers take a trial each, and their evaluations come in the order of their times; so the rule for stopping
trials sees what it would see.
"""

import heapq
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial

from lethe.analysis.judgement import Candidate, Judgement
from lethe.fronts import pareto
from lethe.fronts.objectives import losses, violations
from lethe.search.ledger import Ledger
from lethe.search.limits import Budget
from lethe.search.rule import Rule
from lethe.search.rungs import Stopping
from lethe.search.searcher import CANDIDATES, COST, FAILURE, LedgerSearcher, Search
from lethe.search.space import Space
from lethe.store.study_folder import StudyFolder
from measurements.arms import Arm, holds
from measurements.cells import Cell, Table

CELL = "cell"
MOST = 100  # times the trials: a search ends by its budget, not by their number


class ReplayedLedger(Ledger):
    """The ledger of a replayed search. `found`: losses [points, objectives] of the front of the trials that ended."""

    arm: Arm
    space: Space
    found: np.ndarray

    @classmethod
    def of(cls, table: Table, arm: Arm, seed: int) -> "ReplayedLedger":
        """A new search of a table."""
        rule = Rule.named(arm.stop)
        about = {**table.facts.about, **(rule.about() if rule else {})}
        facts = replace(table.facts, sampler="random", seed=seed, about=about)
        ledger = cls.create(InMemoryStorage(), "replay", facts, table.space)
        ledger.arm, ledger.space, ledger.found = arm, table.space, np.zeros((0, len(facts.objectives)))
        if arm.defaults:
            ledger.queue({name: table.facts.about["settings"][name] for name in table.space}, {})
        return ledger

    def _begin(self, trial: FrozenTrial) -> BaseSampler:
        super()._begin(trial)
        return self.arm.sampler(self.space, self.facts.seed, self.trials.suggestion(trial.number))

    def _judge(self, candidates: Sequence[Candidate]) -> Judgement:
        judged = self.arm.tells(candidates, self.facts, self.found)
        kept = [c["scores"] for c in candidates if holds(violations(self.facts.constraints, c["scores"]))]
        every = np.array([*self.found, *(losses(self.facts.objectives, scores) for scores in kept)])
        self.found = every[pareto.nondominated(every)] if len(every) else self.found
        return judged


class Nobody:
    """Who watches a replay."""

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """See Observer."""

    def scored(self, number: int, candidate: Mapping[str, Any]) -> None:
        """See Observer."""

    def restarted(self, number: int, reason: str) -> None:
        """See Observer."""

    def stopped(self, number: int, reason: str) -> None:
        """See Observer."""

    def finished(self, number: int, failure: str | None) -> None:
        """See Observer."""


@dataclass(order=True)
class Running:
    """A trial that runs: when its next result is there, its number, its pace, and the results to come."""

    at: float
    number: int
    pace: float = field(compare=False)
    results: list[dict[str, Any]] = field(compare=False)  # the next one last


def replay(table: Table, arm: Arm, seed: int, *, trials: int, workers: int) -> pd.DataFrame:
    """Search a table until as much is spent as so many whole runs cost, `workers` trials at once: a row a trial's end.

    Columns: cost, of all that ran so far, in forward passes of a sequence; seconds, by the simulated clock; asking,
    seconds of the processor that suggestions took so far; volume, the hypervolume of what the ended trials found.
    """
    ledger = ReplayedLedger.of(table, arm, seed)
    return pd.DataFrame(
        [
            {**row, "volume": pareto.hypervolume(ledger.found)}
            for row in ends(searcher_of(ledger, table, trials), table.pace, workers)
        ]
    )


def searcher_of(ledger: Ledger, table: Table, trials: int) -> LedgerSearcher:
    """The searcher that Ray Tune would be given; the job of a trial is the cell that is nearest to its parameters."""
    search = Search(
        ledger=ledger,
        limit=Budget(cost=trials * table.whole, trial=table.whole, most=MOST * trials, patience=MOST * trials),
        observer=Nobody(),
        job=lambda number, params: {CELL: table.nearest(params)},
        folder=StudyFolder(""),
        trial=str,
        stopping=Stopping.of(ledger, lambda params: table.length),
    )
    return LedgerSearcher([search])


def ends(searcher: LedgerSearcher, pace: float, workers: int) -> Iterator[dict[str, float]]:
    """Let a searcher search in simulated time, and give a row whenever a trial ended."""
    running: list[Running] = []
    spent: dict[int, float] = {}
    numbers, clock, asking = count(), 0.0, 0.0
    while True:
        began = time.process_time()
        while len(running) < workers and isinstance(job := searcher.suggest(str(number := next(numbers))), dict):
            own = job[CELL].pace or pace
            heapq.heappush(running, Running(clock + own, number, own, results(job[CELL])[::-1]))
        asking += time.process_time() - began
        if not running:
            return
        trial = heapq.heappop(running)
        clock, result = trial.at, trial.results.pop()
        spent[trial.number] = result[COST]
        if searcher.stops(str(trial.number), result) or not trial.results:
            searcher.on_trial_complete(str(trial.number), result)
            yield {"cost": sum(spent.values()), "seconds": clock, "asking": asking}
        else:
            searcher.on_trial_result(str(trial.number), result)
            heapq.heappush(running, replace(trial, at=clock + trial.pace))


def results(cell: Cell) -> list[dict[str, Any]]:
    """What a run reports, as a trainable does."""
    scored = [{CANDIDATES: candidates, COST: candidates[0]["cost"]} for candidates in cell.evaluations()]
    return [*scored, {FAILURE: cell.failure, COST: cell.cost}] if cell.failure else scored
