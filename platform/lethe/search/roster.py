"""The trials of a study as they stand. Each is counted once, as it ends: to ask again reads no others.

Repeats, which run a trial's parameters with another seed, are none of the trials that are counted.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lethe.store.trials import COST, FAILURE, REPEATS, RERUN_OF, STOPPED, TOLD_FROM, is_interrupted

QUEUED = "fixed_params"  # Optuna's own name for the parameters of a queued trial


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The trials of a study at one moment, each by the number by which it first ran."""

    costs: Mapping[int, float]  # what each cost so far, in forward passes of a sequence, however often it was begun
    ended: frozenset[int]  # by themselves
    failed: int  # of these
    running: tuple[int, ...]
    waiting: int  # how many are queued: none is begun yet, or begun again


class Roster:
    """Which trials a study has. A trial that has ended changes no more, and what it repeats is known from its start."""

    def __init__(self, study: optuna.Study) -> None:
        self._study = study
        self._seen = 0  # trials there were at the last look
        self._open: list[int] = []  # those of them that had not ended
        self._ended: dict[int, int] = {}  # trials that ended by themselves -> number by which they first ran
        self._first: dict[int, int] = {}  # trials that repeat another -> number by which they first ran
        self._beside: list[int] = []  # by number, what is no suggestion: those, and repeats
        self._repeats: dict[int, int] = {}  # repeats -> number of the trial whose parameters they have
        self._costs: dict[int, float] = {}  # of what ended, by the number by which it first ran

    def finished(self) -> int:
        """Number of trials that ended, well or badly, by themselves; those that others told are none of them."""
        self.all()
        return len(self._ended)

    def claimed(self) -> int:
        """Number of trials that finished or run, be it by another driver."""
        return sum(trial.number not in self._repeats for trial in self.running()) + len(self._ended)

    def running(self) -> list[FrozenTrial]:
        """The trials that run, repeats among them."""
        trials = self.all()
        return [trials[number] for number in self._open if trials[number].state == TrialState.RUNNING]

    def ended(self) -> set[int]:
        """Numbers by which the trials that ended by themselves first ran, repeats among them."""
        trials = self.all()
        repeats = {self._first.get(n, n) for n in self._repeats if has_ended(trials[n])}
        return {*self._ended.values(), *repeats}

    def repeats(self) -> list[FrozenTrial]:
        """The runs of trials' parameters with other seeds: ended, running or interrupted."""
        trials = self.all()
        return [trials[number] for number in self._repeats]

    def is_repeat(self, number: int) -> bool:
        """Whether a trial is a run of another's parameters with another seed."""
        if number >= self._seen:
            self.all()
        return number in self._repeats

    def known(self) -> int:
        """Number of trials that were known before the first, from another study."""
        return sum(TOLD_FROM in trial.user_attrs for trial in self.all())

    def failures(self) -> dict[int, str]:
        """Why each trial failed that ended so by itself: number -> reason."""
        return {n: why for n, why in self._failures().items() if n not in self._repeats}

    def failed_repeats(self) -> dict[int, str]:
        """Why each repeat failed that ended so by itself: number -> reason."""
        return {n: why for n, why in self._failures().items() if n in self._repeats}

    def _failures(self) -> dict[int, str]:
        failed = (t for t in self.all() if has_failed(t))
        return {t.number: t.user_attrs.get(FAILURE, "unknown") for t in failed}

    def stopped(self) -> dict[int, str]:
        """Where and why each trial was stopped that ended well before its end: number -> reason."""
        trials = self.all()
        complete = (trials[number] for number in self._ended if trials[number].state == TrialState.COMPLETE)
        return {t.number: t.user_attrs[STOPPED] for t in complete if STOPPED in t.user_attrs}

    def interrupted(self) -> list[int]:
        """Numbers of the trials that were interrupted."""
        return [t.number for t in self.all() if is_interrupted(t)]

    def unrepeated(self) -> list[FrozenTrial]:
        """The trials, repeats among them, that were interrupted and that nobody has begun or queued again."""
        trials = self.all()
        again = {trials[number].user_attrs[RERUN_OF] for number in self._first}
        return [trial for trial in trials if is_interrupted(trial) and trial.number not in again]

    def spent(self) -> float:
        """What all trials cost so far, in forward passes of a sequence; one that goes on from another's state, once."""
        return sum(self.tally().costs.values())

    def tally(self) -> Tally:
        """All that a budget asks, by one look at the trials."""
        trials = self.all()
        costs = dict(self._costs)
        for number in self._open:
            self._charge(costs, trials[number])
        open_now = [trials[number] for number in self._open]
        running = [t.number for t in open_now if t.state == TrialState.RUNNING and t.number not in self._repeats]
        return Tally(
            costs=costs,
            ended=frozenset(self._ended.values()),
            failed=sum(trials[number].state == TrialState.FAIL for number in self._ended),
            running=tuple(self._first.get(number, number) for number in running),
            waiting=sum(trial.state == TrialState.WAITING for trial in open_now),
        )

    def parameters(self) -> list[dict[str, Any]]:
        """The parameters of every trial that there is: ended, running or queued."""
        return [trial.system_attrs.get(QUEUED) or trial.params for trial in self.all()]

    def first_run(self, number: int) -> int:
        """Number of the trial that this one repeats, at whatever distance; its own where it repeats none."""
        if number >= self._seen:
            self.all()
        return self._first.get(number, number)

    def suggestion(self, number: int) -> int:
        """Number, from 0, of the suggestion that a trial is; one that repeats another has that one's number."""
        first = self.first_run(number)
        return first - bisect_left(self._beside, first)

    def all(self) -> list[FrozenTrial]:
        """Every trial, by number, as it is now; those that are new or have ended are counted."""
        trials = self._study.get_trials(deepcopy=False)
        looked_at = [*self._open, *range(self._seen, len(trials))]
        for number in looked_at:
            self._count(trials[number])
        self._open = [number for number in looked_at if not trials[number].state.is_finished()]
        self._seen = len(trials)
        return trials

    def _count(self, trial: FrozenTrial) -> None:
        number = trial.number
        if number >= self._seen:
            self._place(trial)
        if trial.state.is_finished():
            self._charge(self._costs, trial)
        if has_ended(trial) and TOLD_FROM not in trial.user_attrs and number not in self._repeats:
            self._ended[number] = self._first.get(number, number)

    def _place(self, trial: FrozenTrial) -> None:
        """See what a new trial runs again, if anything."""
        number, known = trial.number, trial.user_attrs
        if RERUN_OF in known:
            self._first[number] = self._first.get(known[RERUN_OF], known[RERUN_OF])
        if REPEATS in known:
            self._repeats[number] = known[REPEATS]
        if RERUN_OF in known or REPEATS in known:
            self._beside.append(number)

    def _charge(self, costs: dict[int, float], trial: FrozenTrial) -> None:
        first = self._first.get(trial.number, trial.number)
        costs[first] = max(costs.get(first, 0.0), trial.user_attrs.get(COST, 0.0))


def has_ended(trial: FrozenTrial) -> bool:
    """Whether a trial has ended by itself."""
    return trial.state.is_finished() and not is_interrupted(trial)


def has_failed(trial: FrozenTrial) -> bool:
    """Whether a trial failed by itself."""
    return trial.state == TrialState.FAIL and not is_interrupted(trial)
