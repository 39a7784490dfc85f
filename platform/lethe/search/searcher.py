"""The ledger as a Ray Tune searcher: Tune asks it for trials and hands it their results.

Ray's own OptunaSearch leaves a trial with a NaN running for ever and knows no constraints; here Tune's results
only carry the candidates, and the ledger decides what a trial's end means.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ray.tune import Callback
from ray.tune.search import Searcher

from lethe.display.progress import Observer
from lethe.reasons import last_line
from lethe.search.ledger import Ledger

CANDIDATES, COST, RESTARTED, FAILURE = "candidates", "cost", "restarted", "failure"  # keys of a trainable's results
Job = Callable[[int, Mapping[str, Any]], dict[str, Any]]  # number by which a trial first ran, parameters -> its config


def _keeping(method: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what a method of a searcher raises first, as its `failure`; from then on it raises that, and does no more.

    Tune wraps such an error, or takes it for the end of a trial and goes on.
    """

    @functools.wraps(method)
    def kept(self: "LedgerSearcher", *arguments: Any, **options: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        try:
            return method(self, *arguments, **options)
        except Exception as error:
            self.failure = error
            raise

    return kept


class LedgerSearcher(Searcher):
    """Asks and tells `ledger` for Ray Tune, until `trials` are finished or run, and tells `observer` what happens.

    `job` makes what a trainable is given of a trial's parameters and the number by which it first ran: a trial that
    repeats an interrupted one so finds what that one left.
    Where one of these fails, as where the study's disk is full, that is kept as `failure`: see `search`.
    """

    def __init__(self, ledger: Ledger, observer: Observer, trials: int, job: Job) -> None:
        super().__init__(metric=None, mode=None)
        self._ledger = ledger
        self._observer = observer
        self._trials = trials
        self._job = job
        self._numbers: dict[str, int] = {}  # Tune's trial id -> number in the study
        self.failure: Exception | None = None

    def search(self, fit: Callable[[], Any]) -> None:
        """Let Tune search by `fit`; what ended it here is raised as it is, and not as Tune passes it on, if at all."""
        try:
            fit()
        except Exception:
            if self.failure is None:
                raise
        if self.failure is not None:
            raise self.failure

    @_keeping
    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """Ask for the next trial; FINISHED where other drivers of the study leave no trial for this one."""
        if self._ledger.trials.claimed() >= self._trials:
            return Searcher.FINISHED
        number, params = self._ledger.ask()
        self._numbers[trial_id] = number
        self._observer.started(number, params)
        return self._job(self._ledger.trials.first_run(number), params)

    @_keeping
    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Store what the trial scored."""
        number = self._numbers[trial_id]
        if RESTARTED in result:
            self._observer.restarted(number, result[RESTARTED])
        for candidate in result.get(CANDIDATES, ()):
            self._ledger.record(number, candidate)
            self._observer.scored(number, candidate)
        if COST in result:
            self._ledger.spend(number, result[COST])

    @_keeping
    def recovered(self, trial_id: str, reason: str) -> None:
        """Tell that the trial's own actor failed, and that Tune starts another one."""
        self._observer.restarted(self._numbers[trial_id], f"its actor failed: {reason}")

    @_keeping
    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the trial's end. Tune calls `on_trial_result` for every result but the last, whose part is done here."""
        if trial_id not in self._numbers:
            return
        if result:
            self.on_trial_result(trial_id, result)
        failure = (result or {}).get(FAILURE)
        if error or result is None:
            failure = failure or "the trial's process died"
        number = self._numbers.pop(trial_id)
        self._observer.finished(number, self._ledger.tell(number, failure))

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its searcher for a restore that Lethe does not use."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study in the store is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a study is resumed by a new searcher on the same store."""


class Deaths(Callback):
    """Tells a searcher what Tune tells only callbacks: that an actor failed and its trial goes on in another one."""

    def __init__(self, searcher: LedgerSearcher) -> None:
        self._searcher = searcher

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """See Callback."""
        self._searcher.recovered(trial.trial_id, last_line(trial.get_error() or "killed"))
