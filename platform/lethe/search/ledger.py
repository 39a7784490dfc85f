"""The ledger of a study: what is asked, scored and told, queued and taken over, without Ray.

The study in the store is the only truth; a ledger can be thrown away at any moment and made again. A trial that fails,
misses a score or has one that is not finite ends as FAIL with its reason; a trial that was running when its driver died
is failed as interrupted and its parameters are queued to run again, exactly once. A repeat, a trial's parameters with
another seed, is begun when it is decided on, is no suggestion, and is not seen by the sampler. Several drivers, each
with its ledger, may work on one study in PostgreSQL. Which trials there are is the `roster`'s to say, who is dead
`liveness`'s, what a trial is worth `judgement`'s.
"""

import functools
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from lethe.analysis.judgement import Candidate, Judgement, judge
from lethe.search import liveness
from lethe.search.roster import QUEUED, Roster
from lethe.search.samplers import make_sampler
from lethe.search.space import Space, distributions
from lethe.search.suggesting import MadeForTrial, WithoutRepeats, suggest_all
from lethe.store import driver
from lethe.store.facts import FACTS, Facts, load_facts
from lethe.store.front import Front
from lethe.store.parameters import belongs
from lethe.store.snapshot import Reader, Snapshot
from lethe.store.storage import FAILURES, patiently, taking_turns
from lethe.store.trials import (
    COST,
    FAILURE,
    INTERRUPTED,
    REPEAT_SEED,
    REPEATS,
    RERUN_OF,
    RUN,
    RUNGS,
    STOPPED,
    as_attribute,
    candidates,
)

TAKEN_OVER = "taken over by another driver, to which this one was silent for too long"
CONSTRAINT = "constraints:"  # Optuna's own prefix of a trial's violations
KEPT = (RUN, RUNGS)  # trial attributes that one which repeats it has too
REPRESENTATIVE = "representative"  # trial attribute: the place of the candidate that represents it


class Ledger:
    """Ask and tell over one study. Open it with `create` or `resume`; `trials` are those that there are."""

    def __init__(self, storage: BaseStorage, name: str, space: Space) -> None:
        self.study = optuna.load_study(storage=storage, study_name=name)
        self.facts = load_facts(self.study)
        self.trials = Roster(self.study)
        self._storage = storage
        self._distributions = distributions(space) if space else {}  # nobody may know how runs of others were made
        self._asked: dict[int, optuna.Trial] = {}

    @classmethod
    def create(cls, storage: BaseStorage, name: str, facts: Facts, space: Space) -> "Ledger":
        """Start a new study; ValueError where the storage has one of this name."""
        if space:
            distributions(space)
        try:
            study = optuna.create_study(
                storage=storage, study_name=name, directions=["minimize"] * len(facts.objectives)
            )
        except optuna.exceptions.DuplicatedStudyError:
            raise ValueError(f"study {name!r} exists: go on with --resume, or choose another --name") from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([f"{o.score} ({o.goal})" for o in facts.objectives])
        study.set_user_attr(FACTS, facts.to_json())
        return cls(storage, name, space)

    @classmethod
    def resume(
        cls, storage: BaseStorage, name: str, space: Space, check: Callable[[Facts], None] = lambda facts: None
    ) -> "Ledger":
        """Open a study to go on with it; `requeue_interrupted` takes over what dead drivers left running.

        `check` may raise at the study's facts, before anything of it is changed.
        """
        ledger = cls(storage, name, space)
        check(ledger.facts)
        requeue_interrupted([ledger])
        return ledger

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Return the next trial's number and parameters: a queued one, or the sampler's suggestion."""
        repeated = WithoutRepeats(self.study.study_name, self._storage) if self.trials.repeats() else None
        self.study.sampler = MadeForTrial(self._begin, repeated)
        trial = self.study.ask()
        suggest_all(trial, self._distributions)
        self._asked[trial.number] = trial
        return trial.number, trial.params

    def repeat(self, of: int, seed: int, rerun_of: int | None = None) -> int:
        """Begin a run of a complete trial's parameters with another seed, and return its number.

        `rerun_of` is the interrupted repeat that it runs again. Who may begin one at the same time takes turns.
        """
        model = self.trials.all()[of]
        noted = {liveness.DRIVER: driver.this_driver(), REPEATS: of, REPEAT_SEED: seed}
        if rerun_of is not None:
            noted[RERUN_OF] = rerun_of
        begun = create_trial(
            state=TrialState.RUNNING, params=model.params, distributions=model.distributions, user_attrs=noted
        )
        study_id = self._storage.get_study_id_from_name(self.study.study_name)
        trial_id = self._storage.create_new_trial(study_id, template_trial=begun)
        self.study.sampler = RandomSampler()  # which takes no note of it, as one that breeds would
        trial = optuna.Trial(self.study, trial_id)
        self._asked[trial.number] = trial
        return trial.number

    def record(self, number: int, candidate: Candidate) -> None:
        """Store one scored candidate of a running trial."""
        self._note(number, *as_attribute(candidate))

    def spend(self, number: int, cost: float) -> None:
        """Store what a running trial cost so far, in forward passes of a sequence."""
        self._note(number, COST, cost)

    def stop(self, number: int, reason: str) -> None:
        """Store where and why a running trial is ended before its end, which `tell` does."""
        self._note(number, STOPPED, reason)

    def told(self, number: int, rungs: Mapping[str, str | None]) -> None:
        """Store what a running trial was told at each rung, which holds for one that repeats it as well."""
        self._note(number, RUNGS, dict(rungs))

    def tell(self, number: int, failure: str | None = None) -> str | None:
        """End a trial, and return why it failed, or None.

        Without a failure the trial is COMPLETE, its values the losses of the candidate that represents it and its
        constraints that candidate's; if a score that an objective or a constraint needs is missing or not finite in
        any candidate, it is FAIL, as it is where nothing was scored at all.
        """
        trial = self._asked.pop(number)
        try:
            failure = failure or self._conclude(trial)
            if failure:
                trial.set_user_attr(FAILURE, failure)
                self.study.tell(trial, state=TrialState.FAIL)
        except UpdateFinishedTrialError:
            return TAKEN_OVER
        return failure

    def queue(self, params: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        """Let parameters be asked next, behind those that are queued already; `attrs` are the trial's attributes."""
        self._add_waiting({QUEUED: dict(params)}, attrs)

    def take_over(
        self, params: Mapping[str, Any], candidates: Iterable[Candidate], attrs: Mapping[str, Any]
    ) -> str | None:
        """Store a run that ended elsewhere as a complete trial of this study; or return why its scores do not do."""
        candidates = list(candidates)
        try:
            found = self._judge(candidates)
        except ValueError as error:
            return str(error)
        trial = create_trial(
            state=TrialState.COMPLETE,
            params=dict(params),
            distributions={name: self._distributions[name] for name in params},
            values=found.losses,
            user_attrs={**attrs, **dict(map(as_attribute, candidates)), REPRESENTATIVE: found.representative},
            system_attrs={f"{CONSTRAINT}{score}": violation for score, violation in found.violations.items()},
        )
        self.study.add_trial(trial)
        return None

    def interrupt(self) -> None:
        """Fail every running trial of this ledger as interrupted; `resume` will run them again."""
        for number in list(self._asked):
            self.tell(number, INTERRUPTED)

    def beat(self, now: str) -> None:
        """Store a heartbeat of this driver, which drives the study also where it runs no trial just now."""
        self._mark(driver.this_driver(), now)

    def leave(self) -> None:
        """Store that this driver drives the study no more, if the store answers: its process will be gone as well."""
        with suppress(ConnectionError, *FAILURES):
            self._mark(driver.this_driver(), liveness.LEFT)

    def is_busy(self) -> bool:
        """Whether trials of this ledger run."""
        return bool(self._asked)

    def take_over_from(self, dead: Container[str]) -> None:
        """Fail the trials that dead drivers left running, and queue every interrupted one that was not queued yet.

        Whether a repeat is begun again is for whoever decides on repeats.
        """
        with taking_turns(self._storage, self.study.study_name):
            for mark in liveness.drivers_of(self.study):
                if mark in dead or driver.is_gone(mark):
                    self._mark(mark, liveness.LEFT)
            for trial in self.trials.running():
                if liveness.driver_of(trial) in dead:
                    self._fail_left_over(trial)
            for trial in self.trials.unrepeated():
                if not self.trials.is_repeat(trial.number):
                    self._queue_again(trial)

    def front(self) -> pd.DataFrame:
        """The front of the complete trials, as the `candidates` of a snapshot have it; costs no reading of them all."""
        return patiently(self._storage, self._front.read)

    def read(self) -> Snapshot:
        """All of the study as it is now."""
        return Reader(self._tables.url, self.study.study_name, self._tables.engine).read()

    @functools.cached_property
    def _front(self) -> Front:
        return Front(self._tables.engine, self.study.study_name, self.facts)

    @property
    def _tables(self) -> RDBStorage:
        """The storage, which may be any for what is asked and told, as one that is read by its tables."""
        assert isinstance(self._storage, RDBStorage), "it is in memory, and has no tables"
        return self._storage

    def _mark(self, mark: str, newest: str) -> None:
        self.study.set_user_attr(f"{liveness.DRIVERS}{mark}", newest)

    def _note(self, number: int, attribute: str, value: Any) -> None:
        with suppress(UpdateFinishedTrialError):  # taken over: `tell` says so
            self._asked[number].set_user_attr(attribute, value)

    def _begin(self, trial: FrozenTrial) -> BaseSampler:
        """Mark a new trial as this driver's, and make its sampler."""
        self._storage.set_trial_user_attr(trial._trial_id, liveness.DRIVER, driver.this_driver())
        return make_sampler(self.facts.sampler, seed=self.facts.seed, suggestion=self.trials.suggestion(trial.number))

    def _queue_again(self, trial: FrozenTrial) -> None:
        """Queue a trial's parameters; where the driver died before they were all stored, only its suggestion's number.

        What the sampler noted with a trial goes along: NSGA-II counts the trials of a generation by it.
        """
        noted = {key: value for key, value in trial.system_attrs.items() if not key.startswith(CONSTRAINT)}
        if trial.params.keys() >= self._distributions_of(trial.params).keys():
            noted[QUEUED] = trial.params
        elif QUEUED not in noted:
            noted = {}
        kept = {key: trial.user_attrs[key] for key in KEPT if key in trial.user_attrs}
        self._add_waiting(noted, {RERUN_OF: trial.number, **kept})

    def _distributions_of(self, params: Mapping[str, Any]) -> dict[str, BaseDistribution]:
        """What a trial is searched over; of several methods, over the settings of its own."""
        return {name: kept for name, kept in self._distributions.items() if belongs(name, params)}

    def _add_waiting(self, noted: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        """Add a trial that the next `ask` is given; `noted` is Optuna's own."""
        self.study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=dict(noted), user_attrs=dict(attrs)))

    def _conclude(self, trial: optuna.Trial) -> str | None:
        """Tell COMPLETE, or return why that cannot be."""
        stored = self._storage.get_trial(trial._trial_id)
        try:
            found = self._judge(list(candidates(stored)))
        except ValueError as error:
            return str(error)
        for score, violation in found.violations.items():
            trial.set_constraint(score, violation)
        trial.set_user_attr(REPRESENTATIVE, found.representative)
        self.study.tell(trial, found.losses)
        return None

    def _judge(self, candidates: Sequence[Candidate]) -> Judgement:
        """What is made of a trial by its candidates; ValueError as `judge`."""
        return judge(candidates, self.facts)

    def _fail_left_over(self, trial: FrozenTrial) -> None:
        self._storage.set_trial_user_attr(trial._trial_id, FAILURE, INTERRUPTED)
        self.study.tell(trial.number, state=TrialState.FAIL)


def requeue_interrupted(ledgers: Sequence[Ledger]) -> None:
    """Of several studies of one store, fail what dead drivers left running, and queue what was interrupted again.

    Where trials of drivers run whose processes are not of this machine, it takes as long as `driver.silent`, once.
    """
    running = [{liveness.driver_of(trial) for trial in ledger.trials.running()} for ledger in ledgers]
    dead = liveness.dead_drivers(zip((ledger.study for ledger in ledgers), running, strict=True))
    for ledger in ledgers:
        ledger.take_over_from(dead)


@contextmanager
def driving(ledgers: Sequence[Ledger]) -> Iterator[None]:
    """Store heartbeats, so that nobody takes this driver for dead; at the end, `interrupt` what runs of any study.

    Every study has one from the beginning to the end; new ones come to those whose trials run, or to the first where
    none does, for with any of its studies a driver lives.
    """

    def beat(now: str) -> None:
        for ledger in [ledger for ledger in ledgers if ledger.is_busy()] or ledgers[:1]:
            ledger.beat(now)

    with ExitStack() as ends:
        for ledger in ledgers:
            ends.callback(ledger.leave)  # behind the last heartbeat
            ledger.beat(driver.now())
        ends.enter_context(driver.heartbeats(beat))
        for ledger in ledgers:
            ends.callback(ledger.interrupt)
        yield
