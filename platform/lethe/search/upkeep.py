"""What a search keeps on disk: weights that are or may come to be on the front, and states of trials that run."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from lethe.display.progress import Observer
from lethe.fronts import pareto
from lethe.fronts.objectives import loss_array, losses, violations
from lethe.search.ledger import TAKEN_OVER, Ledger
from lethe.store.facts import Facts
from lethe.store.study_folder import StudyFolder, locate


class Upkeep:
    """An observer that removes from a study's folder what is needed no more, as soon as that is known.

    Weights go as soon as they cannot be on the front: where their candidate breaks a constraint, or is dominated by the
    front of the complete trials or by another candidate of its trial. Kept to its end, a 7B trial of 20 evaluations
    would fill a disk with 40 times 27 GB. A repeat, which says how sure others are, keeps none. Of a trial that ended,
    whose folder is `trial` of the number that it first ran by, no folder stays but weights on the front: neither its
    state nor what it wrote and never told of.
    """

    def __init__(self, ledger: Ledger, observer: Observer, folder: StudyFolder, trial: Callable[[int], str]) -> None:
        self._ledger = ledger
        self._observer = observer
        self._folder = folder
        self._trial = trial
        self._front: pd.DataFrame  # read by `sweep`, and whenever a trial ends
        self._written: dict[int, dict[str, list[float]]] = {}  # running trial -> weights -> losses
        self._locate = cache(locate)  # of weights on the front, of which there may be hundreds at every trial's end
        self.sweep()

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """See Observer."""
        self._observer.started(number, params)

    def scored(self, number: int, candidate: Mapping[str, Any]) -> None:
        """See Observer."""
        if weights := candidate.get("weights"):
            beside = self._ledger.trials.is_repeat(number)
            self._keep(number, weights, None if beside else _losses(self._ledger.facts, candidate["scores"]))
        self._observer.scored(number, candidate)

    def restarted(self, number: int, reason: str) -> None:
        """See Observer."""
        self._observer.restarted(number, reason)

    def stopped(self, number: int, reason: str) -> None:
        """See Observer."""
        self._observer.stopped(number, reason)

    def finished(self, number: int, failure: str | None) -> None:
        """See Observer."""
        self._written.pop(number, None)
        if failure != TAKEN_OVER:  # else another driver runs it on, in the same folder
            before, self._front = _weights(self._front), self._ledger.front()
            self._remove(before - _weights(self._front))
            for running in self._written:  # what they wrote may be dominated now
                self._thin(running, set())
            first = self._trial(self._ledger.trials.first_run(number))
            self._clear({first}, self._folder.folders(first))
        self._observer.finished(number, failure)

    def sweep(self) -> None:
        """Clear the folders of all trials that ended, of whatever driver.

        A driver may have died before it did so, and a worker may write once more before it notices its trial's end.
        """
        ended = {self._trial(number) for number in self._ledger.trials.ended()}
        self._front = self._ledger.front()  # after `ended`: whatever ended by then is counted
        self._clear(ended, self._folder.folders())

    def _clear(self, trials: set[str], folders: list[str]) -> None:
        """Of some folders, remove those that lie in the folders of trials and hold no weights on the front."""
        own = {place for place in folders if place.rpartition("/")[0] in trials}
        kept = {self._locate(weights) for weights in _weights(self._front)} if own else set()
        self._remove({place for place in own if locate(place) not in kept})

    def _keep(self, number: int, weights: str, own: list[float] | None) -> None:
        """Keep a new candidate's weights where it may come to be on the front, and not those that it beats."""
        if own is not None:
            self._written.setdefault(number, {})[weights] = own
        self._thin(number, {weights})

    def _thin(self, number: int, new: set[str]) -> None:
        """Of what a running trial wrote, `new` included, keep what may come to be on the front."""
        written = self._written.get(number, {})
        front = loss_array(self._front, self._ledger.facts.objectives).tolist() if len(self._front) else []
        stays = pareto.nondominated(np.array([*written.values(), *front]))
        kept = {place: own for (place, own), stay in zip(written.items(), stays, strict=False) if stay}
        self._written[number] = kept
        self._remove(({*written} | new) - {*kept})

    def _remove(self, places: set[str]) -> None:
        for place in places:
            self._folder.remove(place)


def _weights(front: pd.DataFrame) -> set[str]:
    """Where the weights of the front's candidates are."""
    return set(front["weights"].dropna()) if len(front) else set()


def _losses(facts: Facts, scores: Mapping[str, Any]) -> list[float] | None:
    """The losses of a candidate; None where it can never be on the front."""
    try:
        broken = violations(facts.constraints, scores)
        return losses(facts.objectives, scores) if all(v <= 0 for v in broken.values()) else None
    except ValueError:
        return None
