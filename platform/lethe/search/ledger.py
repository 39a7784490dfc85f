"""The ledger of a study: what is asked, scored and told, without Ray.

The study in the store is the only truth; a ledger can be thrown away at any moment and made again. A trial that fails,
misses a score or has one that is not finite ends as FAIL with its reason; a trial that was running when its driver died
is failed as interrupted and its parameters are queued to run again, exactly once. Several drivers, each with its
ledger, may work on one study in PostgreSQL.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from lethe.fronts import pareto
from lethe.fronts.objectives import losses, violations
from lethe.search.samplers import MadeForTrial, make_sampler
from lethe.search.space import Space, distributions
from lethe.store import driver
from lethe.store.facts import FACTS, Facts, load_facts
from lethe.store.points import read_points
from lethe.store.storage import taking_turns
from lethe.store.trials import FAILURE, INTERRUPTED, RERUN_OF, RUN, checkpoints, is_interrupted

DRIVER = "driver"  # trial attribute: the driver that runs it; study attributes `driver/<it>`: its newest heartbeat
TAKEN_OVER = "taken over by another driver, to which this one was silent for too long"
QUEUED = "fixed_params"  # Optuna's own name for the parameters of a queued trial
CONSTRAINT = "constraints:"  # Optuna's own prefix of a trial's violations
REPRESENTATIVE = "representative"  # trial attribute: step and role of the checkpoint that represents it
Checkpoint = Mapping[str, Any]  # role, step, scores {name: [value, low, high]}, weights, items


class Ledger:
    """Ask and tell over one study. Open it with `create` or `resume`."""

    def __init__(self, storage: BaseStorage, name: str, space: Space) -> None:
        self.study = optuna.load_study(storage=storage, study_name=name)
        self._storage = storage
        self.facts = load_facts(self.study)
        self._distributions = distributions(space)
        self._asked: dict[int, optuna.Trial] = {}

    @classmethod
    def create(cls, storage: BaseStorage, name: str, facts: Facts, space: Space) -> "Ledger":
        """Start a new study; ValueError where the storage has one of this name."""
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
        """Open a study to go on with it; what dead drivers left running is failed as interrupted and queued again.

        `check` may raise at the study's facts, before anything of it is changed. Where trials of drivers run whose
        processes are not of this machine, it takes as long as `driver.silent`.
        """
        ledger = cls(storage, name, space)
        check(ledger.facts)
        ledger.requeue_interrupted()
        return ledger

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Return the next trial's number and parameters: a queued one, or the sampler's suggestion."""
        self.study.sampler = MadeForTrial(self._begin)
        trial = self.study.ask(self._distributions)
        self._asked[trial.number] = trial
        return trial.number, trial.params

    def queue(self, params: Mapping[str, Any], attrs: Mapping[str, Any]) -> None:
        """Let parameters be asked next, behind those that are queued already; `attrs` are the trial's attributes."""
        noted = {QUEUED: dict(params)}
        self.study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=noted, user_attrs=dict(attrs)))

    def take_over(
        self, params: Mapping[str, Any], points: Iterable[Checkpoint], attrs: Mapping[str, Any]
    ) -> str | None:
        """Store a run that ended elsewhere as a complete trial of this study; or return why its scores do not do."""
        points = list(points)
        try:
            values, broken, chosen = self._judge(points)
        except ValueError as error:
            return str(error)
        trial = create_trial(
            state=TrialState.COMPLETE,
            params=dict(params),
            distributions=self._distributions,
            values=values,
            user_attrs={**attrs, **dict(map(_attribute, points)), REPRESENTATIVE: chosen},
            system_attrs={f"{CONSTRAINT}{score}": violation for score, violation in broken.items()},
        )
        self.study.add_trial(trial)
        return None

    def known(self) -> list[dict[str, Any]]:
        """The parameters of every trial that there is: ended, running or queued."""
        return [trial.system_attrs.get(QUEUED) or trial.params for trial in self._trials()]

    @contextmanager
    def driving(self) -> Iterator[None]:
        """Store heartbeats, so that nobody takes this driver for dead; at the end, `interrupt`."""
        with driver.heartbeats(lambda now: self.study.set_user_attr(f"{DRIVER}/{driver.this_driver()}", now)):
            try:
                yield
            finally:
                self.interrupt()

    def record(self, number: int, checkpoint: Checkpoint) -> None:
        """Store one scored checkpoint of a running trial."""
        with suppress(UpdateFinishedTrialError):  # taken over: `tell` says so
            self._asked[number].set_user_attr(*_attribute(checkpoint))

    def tell(self, number: int, failure: str | None = None) -> str | None:
        """End a trial, and return why it failed, or None.

        Without a failure the trial is COMPLETE, its values the losses of the checkpoint that represents it and its
        constraints that checkpoint's; if a score that an objective or a constraint needs is missing or not finite in
        any checkpoint, it is FAIL, as it is where nothing was scored at all.
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

    def interrupt(self) -> None:
        """Fail every running trial of this ledger as interrupted; `resume` will run them again."""
        for number in list(self._asked):
            self.tell(number, INTERRUPTED)

    def requeue_interrupted(self) -> None:
        """Fail the trials that dead drivers left running, and queue every interrupted trial that no other repeats."""
        dead = self._dead_drivers()
        with taking_turns(self._storage, self.study.study_name):
            for trial in self._running():
                if trial.user_attrs.get(DRIVER, "") in dead:
                    self._fail_leftover(trial)
            trials = self._trials()
            repeated = {t.user_attrs.get(RERUN_OF) for t in trials}
            for trial in trials:
                if is_interrupted(trial) and trial.number not in repeated:
                    self._queue_again(trial)

    def finished(self) -> int:
        """Number of trials that ended, well or badly, by themselves."""
        return sum(map(_has_ended, self._trials()))

    def ended(self) -> set[int]:
        """Numbers by which the trials that ended by themselves first ran."""
        trials = self._trials()
        return {_first_run(trials, trial.number) for trial in trials if _has_ended(trial)}

    def claimed(self) -> int:
        """Number of trials that finished or run, be it by another driver."""
        return self.finished() + len(self._running())

    def failures(self) -> dict[int, str]:
        """Why each trial failed that ended so by itself: number -> reason."""
        failed = (t for t in self._trials() if t.state == TrialState.FAIL and not is_interrupted(t))
        return {t.number: t.user_attrs.get(FAILURE, "unknown") for t in failed}

    def interrupted(self) -> list[int]:
        """Numbers of the trials that were interrupted."""
        return [t.number for t in self._trials() if is_interrupted(t)]

    def first_run(self, number: int) -> int:
        """Number of the trial that this one repeats, at whatever distance; its own where it repeats none."""
        return _first_run(self._trials(), number)

    def front(self) -> pd.DataFrame:
        """The points on the current front, as `read_points` has them."""
        points = read_points(self.study, self.facts)
        return points[points["front"]] if len(points) else points

    def _dead_drivers(self) -> set[str]:
        """Which drivers of running trials are dead; "" stands for one that died before it could mark its trial."""
        drivers = {trial.user_attrs.get(DRIVER, "") for trial in self._running()}
        own = drivers & {driver.this_driver()}  # of an earlier ledger of this process
        return own | driver.silent(drivers - own, self._heartbeats)

    def _heartbeats(self) -> dict[str, Any]:
        """The newest heartbeat of every driver that stored one."""
        prefix = f"{DRIVER}/"
        return {k.removeprefix(prefix): v for k, v in self.study.user_attrs.items() if k.startswith(prefix)}

    def _begin(self, trial: FrozenTrial) -> BaseSampler:
        """Mark a new trial as this driver's, and make its sampler."""
        self._storage.set_trial_user_attr(self._trial_id(trial.number), DRIVER, driver.this_driver())
        return make_sampler(self.facts.sampler, seed=self.facts.seed, suggestion=self._suggestion(trial.number))

    def _suggestion(self, number: int) -> int:
        """Number, from 0, of the suggestion that a trial is; one that repeats another has that one's number."""
        trials = self._trials()
        number = _first_run(trials, number)
        return sum(RERUN_OF not in t.user_attrs for t in trials[:number])

    def _queue_again(self, trial: FrozenTrial) -> None:
        """Queue a trial's parameters; where the driver died before they were all stored, only its suggestion's number.

        What the sampler noted with a trial goes along: NSGA-II counts the trials of a generation by it.
        """
        noted = {key: value for key, value in trial.system_attrs.items() if not key.startswith(CONSTRAINT)}
        if trial.params.keys() >= self._distributions.keys():
            noted[QUEUED] = trial.params
        elif QUEUED not in noted:
            noted = {}
        rerun = {RERUN_OF: trial.number}
        rerun |= {RUN: trial.user_attrs[RUN]} if RUN in trial.user_attrs else {}
        self.study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=noted, user_attrs=rerun))

    def _conclude(self, trial: optuna.Trial) -> str | None:
        """Tell COMPLETE, or return why that cannot be."""
        try:
            values, broken, chosen = self._judge(
                list(checkpoints(self._storage.get_trial(self._trial_id(trial.number))))
            )
        except ValueError as error:
            return str(error)
        for score, violation in broken.items():
            trial.set_constraint(score, violation)
        trial.set_user_attr(REPRESENTATIVE, chosen)
        self.study.tell(trial, values)
        return None

    def _judge(self, points: list[Checkpoint]) -> tuple[list[float], dict[str, float], str]:
        """The losses and the violations of the checkpoint that represents a trial, and which it is.

        ValueError where nothing was scored, or a score that is needed is missing or not finite in any checkpoint.
        """
        if not points:
            raise ValueError("no checkpoint was scored")
        values = np.array([losses(self.facts.objectives, p["scores"]) for p in points])
        broken = [violations(self.facts.constraints, p["scores"]) for p in points]
        chosen = pareto.representative(values, np.array([max(b.values(), default=0.0) for b in broken]))
        return values[chosen].tolist(), broken[chosen], f"{points[chosen]['step']}/{points[chosen]['role']}"

    def _fail_leftover(self, trial: FrozenTrial) -> None:
        self._storage.set_trial_user_attr(self._trial_id(trial.number), FAILURE, INTERRUPTED)
        self.study.tell(trial.number, state=TrialState.FAIL)

    def _trial_id(self, number: int) -> int:
        study_id = self._storage.get_study_id_from_name(self.study.study_name)
        return self._storage.get_trial_id_from_study_id_trial_number(study_id, number)

    def _running(self) -> list[FrozenTrial]:
        return [trial for trial in self._trials() if trial.state == TrialState.RUNNING]

    def _trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)


def _has_ended(trial: FrozenTrial) -> bool:
    """Whether a trial ended, well or badly, by itself."""
    return trial.state.is_finished() and not is_interrupted(trial)


def _first_run(trials: list[FrozenTrial], number: int) -> int:
    while RERUN_OF in trials[number].user_attrs:
        number = trials[number].user_attrs[RERUN_OF]
    return number


def _attribute(checkpoint: Checkpoint) -> tuple[str, dict[str, Any]]:
    """The trial attribute that holds a checkpoint: its name and its value."""
    key = f"checkpoint/{checkpoint['step']:06d}/{checkpoint['role']}"
    return key, {k: v for k, v in checkpoint.items() if k not in ("step", "role")}
