"""A store's studies are listed by what they are and how far, and by whether somebody runs them."""

import optuna
import pytest
from tiny_arena import Entered, Made, make_arena
from tiny_study import candidate, run_trial, tiny_ledger

from lethe.handover import listing
from lethe.handover.listing import DONE, RUNNING, STOPPED, UNKNOWN, WAITING, list_studies
from lethe.search.ledger import driving
from lethe.store.facts import ARENA, PLANNED
from lethe.store.storage import open_storage
from lethe.store.trials import INTERRUPTED, TOLD_FROM


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/studies.db"


def begin(url, name, trials, planned, **facts):
    ledger = tiny_ledger(open_storage(url), name, **facts)
    ledger.study.set_user_attr(PLANNED, planned)
    for i in range(trials):
        run_trial(ledger, verbmem_f=10.0 + i, knowmem_r=50.0 + i)
    return ledger


def test_a_study_is_listed_with_method_benchmark_trials_and_front(url):
    said = {"name": "all", "entrant": "npo_gdr", "seed": 0, "budget": 100.0}
    ledger = begin(url, "done", 2, planned=3, about={"method": "npo_gdr", "benchmark": "mine", ARENA: said})
    ledger.tell(ledger.ask()[0], "diverged")
    (found,) = list_studies(url)
    assert (found.study, found.arena, found.method, found.benchmark) == ("done", "all", "npo_gdr", "mine")
    assert (found.complete, found.failed, found.running, found.planned, found.front) == (2, 1, 0, 3, 2)
    assert found.state == DONE


def test_a_run_that_was_interrupted_is_no_failure_and_its_study_is_not_done(url):
    ledger = begin(url, "half", 1, planned=2)
    ledger.tell(ledger.ask()[0], INTERRUPTED)
    (found,) = list_studies(url)
    assert (found.complete, found.failed, found.state) == (1, 0, STOPPED)


def test_what_another_study_told_counts_for_no_trial_that_was_asked_for(url):
    ledger = begin(url, "wider", 1, planned=2)
    ledger.take_over({"lr": 0.1, "delta": 0.5}, [candidate()], {TOLD_FROM: "old/0"})
    (found,) = list_studies(url)
    assert (found.complete, found.planned, found.state) == (1, 2, STOPPED)


def test_it_runs_as_long_as_the_driver_of_a_running_trial_is_not_gone(url, monkeypatch):
    ledger = begin(url, "live", 1, planned=9)
    number, _ = ledger.ask()
    ledger.record(number, candidate())
    assert [(s.running, s.state) for s in list_studies(url)] == [(1, RUNNING)]
    monkeypatch.setattr(listing, "is_gone", lambda driver: True)
    assert [(s.running, s.state) for s in list_studies(url)] == [(1, STOPPED)]


def test_it_runs_between_two_trials_too_as_long_as_its_driver_has_not_left(url):
    ledger = begin(url, "live", 1, planned=9)
    with driving([ledger]):
        assert [(s.running, s.state) for s in list_studies(url)] == [(0, RUNNING)]
    assert [(s.running, s.state) for s in list_studies(url)] == [(0, STOPPED)]


def test_somebody_else_s_study_is_listed_too_and_why_it_cannot_be_read(url):
    begin(url, "ours", 1, planned=1)
    optuna.create_study(storage=open_storage(url), study_name="theirs")
    assert [(s.study, s.state, s.note) for s in list_studies(url)] == [
        ("theirs", UNKNOWN, "study 'theirs' was not made by Lethe"),
        ("ours", DONE, ""),
    ]


def test_a_study_of_an_arena_is_done_with_its_budget_and_waits_while_another_of_the_same_runs(tmp_path, monkeypatch):
    spent, begun = Made(candidates=[(300.0, {})]), Made(candidates=[(100.0, {})])
    runs = Made(state="RUNNING", candidates=[(50.0, {})])
    entries = [("a", [spent]), ("b", [begun]), ("c", [begun, runs])]
    url = make_arena(tmp_path, [Entered(entrant=name, seed=0, trials=trials) for name, trials in entries], budget=300.0)
    assert {s.study[-3]: s.state for s in list_studies(url)} == {"a": DONE, "b": WAITING, "c": RUNNING}
    monkeypatch.setattr(listing, "is_gone", lambda driver: True)
    assert {s.study[-3]: s.state for s in list_studies(url)} == {"a": DONE, "b": STOPPED, "c": STOPPED}


def test_what_was_imported_has_no_plan_and_is_done(url):
    run_trial(tiny_ledger(open_storage(url), "imported"))
    assert [s.state for s in list_studies(url)] == [DONE]
