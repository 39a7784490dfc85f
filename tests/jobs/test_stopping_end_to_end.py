"""A search that stops trials early, two at a time, killed half way: its resume stops the same ones, and all is in order."""

import os
import signal
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState
from searching import start_search, trials_of, wait_until

from lethe.search.ledger import Ledger
from lethe.search.rule import Rule
from lethe.search.rungs import Stopping
from lethe.store.storage import open_storage
from lethe.store.trials import RERUN_OF, RUNGS, STOPPED, candidates, is_interrupted
from trainables.runs.resume import PROGRESS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LENGTH = {"steps": 12, "every": 1}  # rungs behind steps 1, 3 and 9
TRIALS = 8
BUDGET = ["--trials", str(TRIALS), "--concurrent", "2", "--sampler", "random", "--stop", "halving", "--resume"]
SEARCHED = ["--objectives", "verbmem_f", "--range", "lr=0.5:5"]  # rates that move the tiny model


@pytest.fixture(scope="module")
def stopped(place, tiny):
    """A search whose driver was killed once trials were stopped, and gone on with."""
    folder = place / "stopping"
    folder.mkdir()
    storage = f"sqlite:///{folder}/studies.db"
    flags = [*tiny.flags(**LENGTH), *BUDGET, *SEARCHED, "--storage-path", str(folder / "results"), "--storage", storage]

    def ended():
        return {t.number: dict(t.user_attrs) for t in trials_of(storage, "data") if t.state == TrialState.COMPLETE}

    def told_at_a_rung():
        running = [t for t in trials_of(storage, "data") if t.state == TrialState.RUNNING]
        return any(t.user_attrs.get(RUNGS) for t in running)

    with start_search(flags, folder, tiny.environment()) as search:
        wait_until(lambda: len(ended()) >= 3 and told_at_a_rung(), search, every=0.2)
        os.kill(search.process.pid, signal.SIGKILL)
        assert search.wait() == -signal.SIGKILL
    before = {t.number: dict(t.user_attrs) for t in trials_of(storage, "data")}
    with start_search(flags, folder, tiny.environment()) as search:
        assert search.wait() == 0, search.printed()
        yield SimpleNamespace(
            trials=trials_of(storage, "data"),
            before=before,
            storage=storage,
            printed=search.printed(),
            results=folder / "results",
        )


def complete(stopped):
    return [trial for trial in stopped.trials if trial.state == TrialState.COMPLETE]


def test_a_stopped_trial_is_complete_keeps_its_candidates_and_costs_what_it_took_until_then(stopped):
    assert len(complete(stopped)) == TRIALS
    early = [trial for trial in complete(stopped) if STOPPED in trial.user_attrs]
    assert any("are ahead of it" in trial.user_attrs[STOPPED] for trial in early)
    for trial in early:
        where = trial.user_attrs[STOPPED].split(":")[0]
        scored = list(candidates(trial))
        assert f"step {scored[-1]['at']}" == where
        assert [c["at"] for c in scored[::2]] == list(range(1, len(scored) // 2 + 1))
        assert trial.user_attrs["cost"] == scored[-1]["cost"]


def test_of_a_stopped_trial_no_state_is_left_and_what_was_told_of_it_is_printed(stopped):
    assert not list(stopped.results.glob(f"*/trial-*/{PROGRESS}"))
    for trial in complete(stopped):
        if STOPPED in trial.user_attrs and trial.number > max(stopped.before):
            assert f"trial {trial.number:>4}  stopped at {trial.user_attrs[STOPPED]}" in stopped.printed
    assert "stopped early: " in stopped.printed


def test_the_resumed_study_says_at_each_rung_what_was_said_there_before(stopped):
    interrupted = [trial for trial in stopped.trials if is_interrupted(trial)]
    again = {trial.user_attrs[RERUN_OF]: trial for trial in stopped.trials if RERUN_OF in trial.user_attrs}
    assert interrupted
    for trial in interrupted:
        told = stopped.before[trial.number].get(RUNGS, {})
        assert told.items() <= again[trial.number].user_attrs.get(RUNGS, {}).items()
    for trial in complete(stopped):
        if trial.number in stopped.before and STOPPED in stopped.before[trial.number]:
            assert trial.user_attrs[STOPPED] == stopped.before[trial.number][STOPPED]


def test_a_ledger_that_is_given_the_same_candidates_stops_the_same_trials(stopped):
    """Each trial is shown what it scored; at rungs it is told what is stored, elsewhere its own candidates decide."""
    storage = open_storage(stopped.storage)
    ledger = Ledger(storage, "data", {"lr": ("uniform", 0.0, 1.0)})
    assert Rule.of(ledger.facts.about) == Rule()
    stopping = Stopping(ledger, Rule(), lambda params: float(LENGTH["steps"]))
    ledger.stop = lambda number, reason: None
    for trial in complete(stopped):
        stopping.begin(trial.number, trial.params)
        scored = list(candidates(trial))
        told = [stopping.reason(trial.number, scored[i : i + 2]) for i in range(0, len(scored), 2)]
        assert (told[:-1], told[-1]) == ([None] * len(told[:-1]), trial.user_attrs.get(STOPPED))
