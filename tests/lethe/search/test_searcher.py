"""The searcher hands a ledger to Ray Tune: what Tune calls, in which order, and what is stored of it."""

import itertools
import math
import pickle
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState
from ray.tune import TuneError
from ray.tune.schedulers import TrialScheduler
from tiny_study import SPACE, candidate, tiny_ledger

from lethe.search.ledger import Ledger
from lethe.search.limits import Budget, Count
from lethe.search.rule import Rule
from lethe.search.rungs import Stopping
from lethe.search.searcher import Deaths, LedgerSearcher, Search, Stops
from lethe.store.storage import open_storage
from lethe.store.study_folder import StudyFolder


class Diary:
    """An observer that writes down what it is told."""

    def __init__(self):
        self.lines = []

    def started(self, number, params):
        self.lines.append(("started", number, dict(params)))

    def scored(self, number, candidate):
        self.lines.append(("scored", number, candidate["at"], candidate["role"]))

    def restarted(self, number, reason):
        self.lines.append(("restarted", number, reason))

    def stopped(self, number, reason):
        self.lines.append(("stopped", number, reason))

    def finished(self, number, failure):
        self.lines.append(("finished", number, failure))


def job(number, params):
    return {"trial": number, **params}


def search_of(ledger, limit):
    stopping = Stopping.of(ledger, lambda params: 90)
    folder = StudyFolder("results")
    return Search(ledger=ledger, limit=limit, observer=Diary(), job=job, folder=folder, trial=str, stopping=stopping)


@pytest.fixture
def searcher():
    search = search_of(tiny_ledger(), Count(100))
    made = LedgerSearcher([search])
    made.ledger, made.diary = search.ledger, search.observer
    return made


def result(step, **values):
    return {"candidates": [candidate(step, role, **values) for role in ("student", "teacher")], "done": False}


def test_what_a_trial_cost_so_far_is_stored_with_it_also_where_it_fails(searcher):
    searcher.suggest("a")
    searcher.on_trial_result("a", result(10) | {"cost": 30.0})
    assert searcher.ledger.trials.spent() == 30
    searcher.on_trial_complete("a", {"failure": "Diverged: step 15", "cost": 45.0})
    assert searcher.ledger.trials.spent() == 45


def only_trial(searcher):
    (trial,) = searcher.ledger.study.trials
    return trial


def test_a_suggestion_is_the_parameters_and_the_trial_s_number(searcher):
    first, second = searcher.suggest("a"), searcher.suggest("b")
    assert (first.pop("trial"), second.pop("trial")) == (0, 1)
    trials = searcher.ledger.study.trials
    assert [trial.params for trial in trials] == [first, second]
    assert {trial.state for trial in trials} == {TrialState.RUNNING}


def test_a_trial_that_goes_on_in_new_processes_is_told_with_the_reason(searcher):
    searcher.suggest("a")
    searcher.on_trial_result("a", result(10) | {"restarted": "connection closed"})
    for error in (TuneError("Traceback:\n  ...\nValueError: no room\n"), None):
        Deaths(searcher).on_trial_recover(1, [], SimpleNamespace(trial_id="a", get_error=lambda error=error: error))
    told = [line for line in searcher.diary.lines if line[0] == "restarted"]
    reasons = ["connection closed", "its actor failed: ValueError: no room", "its actor failed: killed"]
    assert told == [("restarted", 0, reason) for reason in reasons]
    assert only_trial(searcher).state == TrialState.RUNNING


def test_every_candidate_is_stored_and_told_also_those_of_the_last_result(searcher):
    searcher.suggest("a")
    searcher.on_trial_result("a", result(10))
    searcher.on_trial_complete("a", result(20))
    assert [line[:2] for line in searcher.diary.lines] == [("started", 0), *[("scored", 0)] * 4, ("finished", 0)]
    assert sum(key.startswith("candidate/") for key in only_trial(searcher).user_attrs) == 4
    assert only_trial(searcher).state == TrialState.COMPLETE


def test_results_find_their_trial_by_tune_s_name_for_it(searcher):
    for name in ("a", "b"):
        searcher.suggest(name)
    searcher.on_trial_complete("b", result(10, verbmem_f=1))
    searcher.on_trial_complete("a", result(10, verbmem_f=2))
    assert [trial.values[0] for trial in searcher.ledger.study.trials] == [2, 1]


@pytest.mark.parametrize(
    ("last", "error", "reason"),
    [
        ({"failure": "Diverged: loss is nan"}, False, "Diverged: loss is nan"),
        ({"failure": "Diverged: loss is nan"}, True, "Diverged: loss is nan"),
        (None, True, "the trial's process died"),
        (None, False, "the trial's process died"),
        (result(20), True, "the trial's process died"),
        ({"done": True}, False, None),
        (result(20, privleak=math.nan), False, "score 'privleak' is nan"),
    ],
)
def test_how_a_trial_ends(searcher, last, error, reason):
    searcher.suggest("a")
    searcher.on_trial_result("a", result(10))
    searcher.on_trial_complete("a", last, error=error)
    assert searcher.diary.lines[-1] == ("finished", 0, reason)
    assert only_trial(searcher).state == (TrialState.FAIL if reason else TrialState.COMPLETE)
    assert only_trial(searcher).user_attrs.get("failure") == reason


def test_a_trial_that_its_study_s_rule_stops_is_complete_with_its_last_candidates_too():
    search = search_of(tiny_ledger(about=Rule().about()), Count(100))
    searcher = LedgerSearcher([search])
    scheduler, trial = Stops(searcher), SimpleNamespace(trial_id="c")
    for name, value in (("a", 10), ("b", 20), ("c", 30)):
        searcher.suggest(name)
        last = result(10, verbmem_f=value, privleak=value, knowmem_r=100 - value)
        if name != "c":
            assert scheduler.on_trial_result(None, SimpleNamespace(trial_id=name), last) == TrialScheduler.CONTINUE
            searcher.on_trial_result(name, last)
    assert scheduler.on_trial_result(None, trial, last) == TrialScheduler.STOP
    searcher.on_trial_complete("c", last | {"cost": 30.0})
    stopped = search.ledger.study.trials[2]
    assert stopped.state == TrialState.COMPLETE
    assert sum(key.startswith("candidate/") for key in stopped.user_attrs) == 2
    assert [line[0] for line in search.observer.lines if line[1] == 2] == [
        *("started", "stopped", "scored", "scored", "finished")
    ]
    assert search.ledger.trials.tally().costs[2] == 30


def test_a_study_without_a_rule_lets_all_go_on(searcher):
    searcher.suggest("a")
    for step in (10, 20, 30):
        assert not searcher.stops("a", result(step, utility=0.0))
    assert not searcher.stops("a", {"failure": "Diverged", "done": True})


def test_a_trial_that_scored_nothing_fails(searcher):
    searcher.suggest("a")
    searcher.on_trial_complete("a", {"done": True})
    assert searcher.diary.lines[-1] == ("finished", 0, "no candidate was scored")


def test_an_end_that_is_told_twice_or_of_a_trial_that_is_not_known_changes_nothing(searcher):
    searcher.suggest("a")
    searcher.on_trial_complete("a", result(10))
    before = only_trial(searcher)
    searcher.on_trial_complete("a", None, error=True)
    searcher.on_trial_complete("z", result(10))
    assert only_trial(searcher) == before
    assert len(searcher.diary.lines) == 4


def test_tune_may_save_and_restore_it_and_finds_nothing_of_the_study_in_that(searcher, tmp_path):
    searcher.suggest("a")
    searcher.save(str(tmp_path / "file"))
    searcher.restore(str(tmp_path / "file"))
    assert not (tmp_path / "file").exists()
    assert searcher.__getstate__() == {}
    assert len(pickle.dumps(searcher)) < 500


def test_no_more_is_asked_than_the_trials_that_other_drivers_leave():
    ledger = tiny_ledger()
    here, there = (LedgerSearcher([search_of(ledger, Count(3))]) for _ in range(2))
    there.suggest("x")
    there.suggest("y")
    assert here.suggest("a")["trial"] == 2
    assert here.suggest("b") == here.FINISHED
    there.on_trial_complete("x", None, error=True)
    assert here.suggest("b") == here.FINISHED
    assert len(ledger.study.trials) == 3


def together(*limits):
    """A searcher of several studies, and their diaries."""
    searches = [search_of(tiny_ledger(sampler="random", name=f"{place}"), limit) for place, limit in enumerate(limits)]
    return LedgerSearcher(searches), [search.observer for search in searches]


def test_of_several_studies_each_is_asked_in_turn_and_told_what_is_its_own():
    both, diaries = together(Count(2), Count(2))
    for name in ("a", "b", "c", "d"):
        assert both.suggest(name)["trial"] == (name > "b")
        both.on_trial_complete(name, result(10, verbmem_f=ord(name)))
    assert both.suggest("e") == both.FINISHED
    for diary in diaries:
        assert [line[:2] for line in diary.lines] == [
            line for number in (0, 1) for line in (("started", number), *[("scored", number)] * 2, ("finished", number))
        ][: len(diary.lines)]
        assert len(diary.lines) == 8
    assert [trial.values[0] for search in both._searches for trial in search.ledger.study.trials] == [97, 99, 98, 100]


BUDGET = Budget(cost=30.0, trial=20.0, most=10, patience=3)


def test_where_a_running_trial_may_leave_room_tune_is_asked_to_come_again_once_it_ended():
    alone, _ = together(BUDGET)
    assert [alone.suggest("a")["trial"], alone.suggest("b")["trial"]] == [0, 1]  # 20 each, as far as one knows
    assert alone.suggest("c") is None
    alone.on_trial_complete("a", result(10) | {"cost": 5.0})
    assert alone.suggest("c")["trial"] == 2
    for name, cost in (("b", 5.0), ("c", 25.0)):
        alone.on_trial_complete(name, result(10) | {"cost": cost})
    assert alone.suggest("d") == alone.FINISHED


def test_what_another_driver_s_trials_may_leave_is_left_to_it():
    ledger = tiny_ledger(sampler="random")
    here, there = (LedgerSearcher([search_of(ledger, BUDGET)]) for _ in range(2))
    there.suggest("a")
    there.suggest("b")
    assert here.suggest("c") == here.FINISHED
    assert there.suggest("c") is None


class Full(Exception):
    """A study's disk is full."""


STEPS = {
    "ask": lambda searcher: searcher.suggest("b"),
    "record": lambda searcher: searcher.on_trial_result("a", result(20)),
    "tell": lambda searcher: searcher.on_trial_complete("a", result(20)),
    "told": lambda searcher: searcher.stops("a", result(20)),
}


@pytest.mark.parametrize("passed_on", [True, False], ids=["wrapped by Tune", "dropped by Tune"])
@pytest.mark.parametrize("operation", STEPS)
def test_a_store_that_fails_ends_the_search_whatever_tune_makes_of_it(operation, passed_on, monkeypatch):
    ledger = tiny_ledger(about=Rule().about())
    searcher = LedgerSearcher([search_of(ledger, Count(100))])

    def fail(*_):
        raise Full

    def fit():
        with pytest.raises(Full):
            STEPS[operation](searcher)
        monkeypatch.undo()  # room again; Tune takes the trial for one that failed, and goes on
        with pytest.raises(Full):
            Deaths(searcher).on_trial_recover(1, [], SimpleNamespace(trial_id="a", get_error=lambda: None))
        if passed_on:
            raise TuneError("a traceback of many lines")

    searcher.suggest("a")
    monkeypatch.setattr(ledger, operation, fail)
    with pytest.raises(Full):
        searcher.search(fit)


def test_what_tune_itself_raises_is_raised(searcher):
    def fit():
        raise TuneError("of its own")

    with pytest.raises(TuneError, match="of its own"):
        searcher.search(fit)


@settings(max_examples=4)
@given(turns=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([5.0, 12.0, 20.0])), min_size=1, max_size=8))
def test_two_drivers_on_one_file_spend_one_budget_together_and_double_nothing(turns, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'studies.db'}"
    ledgers = [tiny_ledger(open_storage(url), name=name, sampler="random") for name in ("a", "b")]
    elsewhere = [Ledger(open_storage(url), name, SPACE) for name in ("a", "b")]
    drivers = [LedgerSearcher([search_of(ledger, BUDGET) for ledger in own]) for own in (ledgers, elsewhere)]
    running = []
    for turn, (who, cost) in enumerate(itertools.cycle(turns)):
        asked = drivers[who].suggest(f"{turn}")
        if isinstance(asked, dict):
            running.append((drivers[who], f"{turn}"))
        elif running:
            owner, name = running.pop(0)
            owner.on_trial_complete(name, result(10) | {"cost": cost})
        else:
            break
    for ledger in ledgers:
        costs = [trial.user_attrs["cost"] for trial in ledger.study.trials]
        assert sum(costs) >= BUDGET.cost
        assert len(costs) <= BUDGET.cost / min(costs) + 1
        assert len({str(trial.params) for trial in ledger.study.trials}) == len(costs)
