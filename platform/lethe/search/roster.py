"""The trials of a study as they stand. Each is counted once, as it ends: to ask again reads no others."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lethe.store.trials import COST, FAILURE, RERUN_OF, STOPPED, TOLD_FROM, is_interrupted

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
        self._reruns: list[int] = []  # the same trials, by number
        self._costs: dict[int, float] = {}  # of what ended, by the number by which it first ran

    def finished(self) -> int:
        """Number of trials that ended, well or badly, by themselves; those that others told are none of them."""
        self.all()
        return len(self._ended)

    def claimed(self) -> int:
        """Number of trials that finished or run, be it by another driver."""
        return len(self.running()) + len(self._ended)

    def running(self) -> list[FrozenTrial]:
        """The trials that run."""
        trials = self.all()
        return [trials[number] for number in self._open if trials[number].state == TrialState.RUNNING]

    def ended(self) -> set[int]:
        """Numbers by which the trials that ended by themselves first ran."""
        self.all()
        return set(self._ended.values())

    def known(self) -> int:
        """Number of trials that were known before the first, from another study."""
        return sum(TOLD_FROM in trial.user_attrs for trial in self.all())

    def failures(self) -> dict[int, str]:
        """Why each trial failed that ended so by itself: number -> reason."""
        failed = (t for t in self.all() if t.state == TrialState.FAIL and not is_interrupted(t))
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
        """The trials that were interrupted, and that no other repeats yet."""
        trials = self.all()
        repeated = {trials[number].user_attrs[RERUN_OF] for number in self._reruns}
        return [trial for trial in trials if is_interrupted(trial) and trial.number not in repeated]

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
        running = [trial.number for trial in open_now if trial.state == TrialState.RUNNING]
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
        return first - bisect_left(self._reruns, first)

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
        if number >= self._seen and RERUN_OF in trial.user_attrs:
            repeats = trial.user_attrs[RERUN_OF]
            self._first[number] = self._first.get(repeats, repeats)
            self._reruns.append(number)
        if trial.state.is_finished():
            self._charge(self._costs, trial)
            if not is_interrupted(trial) and TOLD_FROM not in trial.user_attrs:
                self._ended[number] = self._first.get(number, number)

    def _charge(self, costs: dict[int, float], trial: FrozenTrial) -> None:
        first = self._first.get(trial.number, trial.number)
        costs[first] = max(costs.get(first, 0.0), trial.user_attrs.get(COST, 0.0))
