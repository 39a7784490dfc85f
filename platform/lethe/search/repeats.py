"""Repeats: the recipes of a front are run again with other seeds, where that decides whether they stay on it.

A race (the idea is S-Race's, Zhang, Georgiopoulos and Anagnostopoulos, GECCO 2013: of several objectives, who is
settled takes no more runs). Next runs the trial whose points are least certain for the runs that it had: the largest
p (1 - p) / runs, where p is how often a point is non-dominated over redrawn seeds and choosing items, and 1/2 where it
ran once, for one seed says nothing of others. A trial is settled once all of its points have p <= 5% or p >= 95%.

What no choice has to see, the items that report, decides nothing here. What is decided on is begun at once, under the
store's lock, and is in the store from then on: so of several drivers none begins what another has begun, and one that
was killed is gone on for. Imports no ray.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lethe.analysis.recipes import SEEDS, SHARE, SURE, over_seeds, settled
from lethe.analysis.redraws import cached_items
from lethe.search.ledger import Ledger
from lethe.search.limits import FULL
from lethe.search.roster import Roster, has_ended
from lethe.store.parameters import settings_of
from lethe.store.snapshot import Reader
from lethe.store.storage import taking_turns
from lethe.store.trials import REPEAT_SEED, REPEATS, RERUN_OF


class Race:
    """The repeats of one study: at most `most` of each trial. A limit (see limits.py) of its own."""

    def __init__(self, ledger: Ledger, storage: BaseStorage, reader: Reader, most: int) -> None:
        self._ledger, self._storage, self._reader, self._most = ledger, storage, reader, most
        self._read = cached_items()
        self._seen: tuple[Any, pd.DataFrame] | None = None  # what was read last, and what it says

    def had(self, trials: Roster) -> float:
        """See Limit: FULL once nothing is left to begin, and nothing runs that might unsettle a trial."""
        runs = any(trial.state == TrialState.RUNNING for trial in trials.repeats())
        return 0.0 if runs or self.left() else FULL

    def likely(self, trials: Roster) -> float:
        """See Limit: FULL where nothing can be begun as long as what runs has not ended."""
        return 0.0 if self.left() else FULL

    def left(self) -> bool:
        """Whether a repeat was interrupted, or there is one to begin."""
        return bool(self._interrupted()) or self._next() is not None

    def ended(self) -> int:
        """How many repeats ended, well or badly, by themselves."""
        return sum(map(has_ended, self._ledger.trials.repeats()))

    def at_most(self) -> int:
        """How many there may be in all, as far as one knows."""
        begun = self.begun()
        return sum(begun.values()) + sum(self._most - begun[trial] for trial in self._open())

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """Begin a repeat and return its number and its parameters with its seed; None where there is none to begin."""
        with taking_turns(self._storage, self._ledger.study.study_name):
            if left := self._interrupted():
                of, seed, again = left[0].user_attrs[REPEATS], left[0].user_attrs[REPEAT_SEED], left[0].number
            elif (chosen := self._next()) is not None:
                of, seed, again = chosen, self._seed(chosen), None
            else:
                return None
            number = self._ledger.repeat(of, seed, again)
        return number, {**self._ledger.trials.all()[of].params, "seed": seed}

    def begun(self) -> Counter[int]:
        """How many repeats each trial has, be they ended, running or interrupted; one that is run again counts once."""
        own = [t for t in self._ledger.trials.repeats() if RERUN_OF not in t.user_attrs]
        return Counter(trial.user_attrs[REPEATS] for trial in own)

    def _interrupted(self) -> list[Any]:
        """Interrupted repeats that nobody has begun again."""
        trials = self._ledger.trials
        return [trial for trial in trials.unrepeated() if trials.is_repeat(trial.number)]

    def _next(self) -> int | None:
        """The trial that is least certain for the runs that it had; None where all are settled or had their repeats."""
        open_ = self._open()
        return max(open_, key=open_.__getitem__) if open_ else None  # of equals the first, best first

    def _open(self) -> dict[int, float]:
        """How uncertain each trial is that is not settled and may be run again, for the runs that it had."""
        begun = self.begun()
        found: dict[int, float] = {}
        for point in self._points().to_dict("records"):
            trial = int(point["trial"])
            weight = uncertainty(point) / (1 + begun[trial])
            if weight > 0 and begun[trial] < self._most:
                found[trial] = max(found.get(trial, 0.0), weight)
        return found

    def _points(self) -> pd.DataFrame:
        """What is known of the points, by the items that choose."""
        study = self._reader.read()
        if self._seen is None or self._seen[0] is not study:
            self._seen = study, over_seeds(study, chosen=True, read=self._read)
        return self._seen[1]

    def _seed(self, trial: int) -> int:
        """The first seed behind the trial's own that no repeat of it has."""
        own = self._ledger.trials.all()[trial]
        taken = {t.user_attrs[REPEAT_SEED] for t in self._ledger.trials.repeats() if t.user_attrs[REPEATS] == trial}
        first = int(settings_of(self._ledger.facts.about, own.params).get("seed", 0))
        return next(seed for seed in range(first + 1, first + 2 + len(taken)) if seed not in taken)


def uncertainty(point: Mapping[Any, Any]) -> float:
    """How uncertain it is whether a point is on the front: p (1 - p), and 0 where that is settled."""
    share = point[SHARE]
    if point[SEEDS] == 1:  # by items alone: only who is beaten for sure needs no other seed
        return 0.25 if share > 1 - SURE else 0.0
    return 0.0 if settled(share) else share * (1 - share)
