"""A study's rule for stopping trials, asked for those that run: who came to a place before, by the study's own trials.

What a trial is told is stored with it. So a study that is resumed, and another driver that takes a trial over, stop the
same trials for the same candidates, whoever came to a rung since. To ask reads, of the trials that are new or run, what
they scored at the rung.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial

from lethe.analysis.judgement import Candidate
from lethe.search.ledger import Ledger
from lethe.search.roster import Roster, has_failed
from lethe.search.rule import Rule
from lethe.search.stopping import Point, is_rung, points_of, stop
from lethe.store.facts import Facts
from lethe.store.parameters import method_of
from lethe.store.places import STEP, Place
from lethe.store.trials import REPEATS, RUNGS, STOPPED, candidates_at

Length = Callable[[Mapping[str, Any]], float]  # a trial's parameters -> up to which step it trains
MOST = 1000  # trials, the newest, that one is compared with


@dataclass
class Rung:
    """Who came to a place, and how far one has looked."""

    points: dict[int, list[Point]] = field(default_factory=dict)  # by the number by which a trial first ran
    seen: int = 0  # trials there were at the last look
    open: list[int] = field(default_factory=list)  # those of them that had not ended


class Rungs:
    """Who scored what behind which step, of all trials of a study.

    Trials of one method are compared, at the same step: a step of another method costs something else, and one that is
    slow at first would be stopped by the pace of others. One that failed, as where it diverged, is no rival, nor is a
    repeat, whose parameters have one already. Candidates on other axes, such as strengths, take no further training.
    """

    def __init__(self, trials: Roster, facts: Facts) -> None:
        self._trials, self._facts = trials, facts
        self._rungs: dict[tuple[str | None, float], Rung] = defaultdict(Rung)

    def others(self, number: int, method: str | None, at: float) -> dict[int, list[Point]]:
        """The candidates of other trials of a method behind a step, by the number by which each first ran."""
        rung = self._rungs[method, at]
        self._look(rung, method, at)
        first = self._trials.first_run(number)
        newest = sorted(rung.points.keys() - {first})[-MOST:]
        return {trial: rung.points[trial] for trial in newest}

    def _look(self, rung: Rung, method: str | None, at: float) -> None:
        """See who came to a rung since the last look, and who of those that ran then has failed."""
        trials = self._trials.all()
        newest_first = [*reversed(range(rung.seen, len(trials))), *rung.open]
        came: dict[int, list[Point]] = {}
        failed: set[int] = set()
        for one in newest_first:
            first = self._trials.first_run(one)
            if self._trials.is_repeat(one):
                continue
            if has_failed(trials[one]):
                failed.add(first)
            elif (
                first not in failed and len(came) <= MOST and method_of(self._facts.about, trials[one].params) == method
            ):
                points = self._points(trials[one], at)
                if points:  # of a trial's runs the newest counts: one that was interrupted may lack a role
                    came.setdefault(first, points)
        rung.points = {first: points for first, points in (rung.points | came).items() if first not in failed}
        rung.open = [one for one in newest_first if not trials[one].state.is_finished()]
        rung.seen = len(trials)

    def _points(self, trial: FrozenTrial, at: float) -> list[Point]:
        """What a trial scored at a place; nothing where a score is missing: it fails at its end."""
        with suppress(ValueError):
            return points_of(list(candidates_at(trial, STEP, at)), self._facts)
        return []


def as_before(trial: FrozenTrial) -> dict[str, str | None]:
    """What a repeat of a complete trial is told: where that one was stopped it is too, for it is compared with it."""
    if STOPPED not in trial.user_attrs:
        return {}
    where = trial.user_attrs[STOPPED].partition(":")[0]
    return {where: f"{where}: trial {trial.number}, which it repeats, was stopped there"}


@dataclass
class Course:
    """A trial that runs: its method, up to which step it trains, what it was told at rungs, and what it scored."""

    method: str | None
    length: float
    told: dict[str, str | None]
    repeats: bool  # a trial's parameters with another seed: it ends where that one did, and is not judged
    scored: dict[Place, Candidate] = field(default_factory=dict)


class Stopping:
    """The rule of one study, and the trials that run there of this driver."""

    def __init__(self, ledger: Ledger, rule: Rule, length: Length) -> None:
        self._ledger, self._rule, self._length = ledger, rule, length
        self._rungs = Rungs(ledger.trials, ledger.facts)
        self._running: dict[int, Course] = {}

    @classmethod
    def of(cls, ledger: Ledger, length: Length) -> "Stopping | None":
        """The rule that a study's facts hold; None where it stops no trial."""
        rule = Rule.of(ledger.facts.about)
        return cls(ledger, rule, length) if rule else None

    def begin(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial begins, or goes on that was interrupted."""
        trials = self._ledger.trials.all()
        known = trials[number].user_attrs
        told = as_before(trials[known[REPEATS]]) if REPEATS in known else dict(known.get(RUNGS, {}))
        method = method_of(self._ledger.facts.about, params)
        self._running[number] = Course(method, self._length(params), told, repeats=REPEATS in known)

    def reason(self, number: int, newest: Sequence[Candidate]) -> str | None:
        """Where and why a trial is stopped behind its newest candidates, which is stored; None where it goes on.

        One that goes on from its state gives what it gave before, and is told at each rung what it was told there.
        """
        course, steps = self._running[number], [c for c in newest if c["axis"] == STEP]
        if not steps:
            return None
        course.scored |= {Place.of(candidate): candidate for candidate in steps}
        place = max(map(Place.of, steps))
        known = course.repeats or place.where in course.told
        reason = course.told.get(place.where) if known else self._judge(number, course, place)
        if reason:
            self._ledger.stop(number, reason)
        return reason

    def end(self, number: int) -> None:
        """A trial ended."""
        self._running.pop(number, None)

    def _judge(self, number: int, course: Course, newest: Place) -> str | None:
        own = [course.scored[place] for place in sorted(course.scored) if place.at <= newest.at]
        places = list(dict.fromkeys(candidate["at"] for candidate in own))
        rung = self._rule.halving and newest.at < course.length and is_rung(places, self._rule.reduction)
        others = self._rungs.others(number, course.method, newest.at) if rung else {}
        reason = stop(own, others, course.length, self._ledger.facts, self._rule)
        if rung:
            course.told[newest.where] = reason
            self._ledger.told(number, course.told)
        return reason
