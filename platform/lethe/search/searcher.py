"""Ledgers as one Ray Tune searcher: Tune asks it for trials and hands it their results.

Ray's own OptunaSearch leaves a trial with a NaN running for ever and knows no constraints; here Tune's results
only carry the candidates, and the ledger decides what a trial's end means. One searcher serves any number of studies,
whose trials share the workers; which of them comes next their limits say.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ray.tune import Callback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from lethe.display.progress import Observer
from lethe.reasons import last_line
from lethe.search.ledger import Ledger
from lethe.search.limits import FULL, Limit, next_of
from lethe.search.rungs import Stopping
from lethe.store.study_folder import StudyFolder

CANDIDATES, COST, RESTARTED, FAILURE = "candidates", "cost", "restarted", "failure"  # keys of a trainable's results
Job = Callable[[int, Mapping[str, Any]], dict[str, Any]]  # number by which a trial first ran, parameters -> its config
Ask = Callable[[], tuple[int, dict[str, Any]] | None]  # begins a trial: its number and parameters; None: there is none


@dataclass(frozen=True, kw_only=True)
class Search:
    """A study that is searched: what it may take, who watches it, and where its trials write.

    `job` makes what a trainable is given of a trial's parameters and the number by which it first ran: a trial that
    repeats an interrupted one so finds what that one left.
    """

    ledger: Ledger
    limit: Limit
    observer: Observer
    job: Job
    folder: StudyFolder  # of weights, outputs and states
    trial: Callable[[int], str]  # a trial's own folder, by the number that it first ran by
    stopping: Stopping | None = None  # which trials are stopped before their end; None: none
    ask: Ask | None = None  # how its trials are begun, where that is not as the ledger suggests


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
    """Asks and tells the ledgers of `searches` for Ray Tune, up to their limits, and tells their observers all of it.

    Where one of these fails, as where the studies' disk is full, that is kept as `failure`: see `search`.
    """

    def __init__(self, searches: Sequence[Search]) -> None:
        super().__init__(metric=None, mode=None)
        self._searches = searches
        self._running: dict[str, tuple[Search, int]] = {}  # Tune's trial id -> its study, and its number there
        self._waits = False  # for a trial of its own to end
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
    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Ask the study that comes next for a trial; FINISHED where none has room for another, whatever becomes of it.

        None, upon which Tune asks again, where there may be room once a trial has ended that runs here.
        """
        if self._waits and self._running:
            return None
        chosen = next_of([search.limit.likely(search.ledger.trials) for search in self._searches])
        if chosen is None:
            self._waits = bool(self._running) and any(
                search.limit.had(search.ledger.trials) < FULL for search in self._searches
            )
            return None if self._waits else Searcher.FINISHED
        return self._begin(trial_id, self._searches[chosen])

    def _begin(self, trial_id: str, search: Search) -> dict[str, Any] | None:
        asked = (search.ask or search.ledger.ask)()
        if asked is None:  # another driver has begun the last one meanwhile
            return None
        number, params = asked
        self._running[trial_id] = search, number
        if search.stopping:
            search.stopping.begin(number, params)
        search.observer.started(number, params)
        return search.job(search.ledger.trials.first_run(number), params)

    @_keeping
    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Store what the trial scored."""
        search, number = self._running[trial_id]
        if RESTARTED in result:
            search.observer.restarted(number, result[RESTARTED])
        for candidate in result.get(CANDIDATES, ()):
            search.ledger.record(number, candidate)
            search.observer.scored(number, candidate)
        if COST in result:
            search.ledger.spend(number, result[COST])

    @_keeping
    def stops(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether a trial is stopped behind a result that Tune has not handed in yet."""
        search, number = self._running[trial_id]
        if search.stopping is None or not result.get(CANDIDATES):
            return False
        reason = search.stopping.reason(number, result[CANDIDATES])
        if reason:
            search.observer.stopped(number, reason)
        return reason is not None

    @_keeping
    def recovered(self, trial_id: str, reason: str) -> None:
        """Tell that the trial's own actor failed, and that Tune starts another one."""
        search, number = self._running[trial_id]
        search.observer.restarted(number, f"its actor failed: {reason}")

    @_keeping
    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the trial's end. Tune calls `on_trial_result` for every result but the last, whose part is done here."""
        if trial_id not in self._running:
            return
        if result:
            self.on_trial_result(trial_id, result)
        failure = (result or {}).get(FAILURE)
        if error or result is None:
            failure = failure or "the trial's process died"
        search, number = self._running.pop(trial_id)
        if search.stopping:
            search.stopping.end(number)
        self._waits = False
        search.observer.finished(number, search.ledger.tell(number, failure))

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its searcher for a restore that Lethe does not use."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study in the store is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a study is resumed by a new searcher on the same store."""


class Stops(FIFOScheduler):
    """Tune's trials in their order, each until the rule of its study stops it."""

    def __init__(self, searcher: LedgerSearcher) -> None:
        super().__init__()
        self._searcher = searcher

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """See TrialScheduler; Tune asks it before it hands the result to the searcher, at whose end is the last one."""
        stopped = self._searcher.stops(trial.trial_id, result)
        return TrialScheduler.STOP if stopped else TrialScheduler.CONTINUE


class Deaths(Callback):
    """Tells a searcher what Tune tells only callbacks: that an actor failed and its trial goes on in another one."""

    def __init__(self, searcher: LedgerSearcher) -> None:
        self._searcher = searcher

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """See Callback."""
        self._searcher.recovered(trial.trial_id, last_line(trial.get_error() or "killed"))
