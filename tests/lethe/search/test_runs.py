"""A run is queued once, whatever dies when, and the very same run of another study is taken over."""

import pytest
from optuna.trial import TrialState
from tiny_ablation import run_one, runs_of, space_of, start, tiny_design
from tiny_study import BrittleStorage, Killed

from lethe.analysis.ablation import read_ablation
from lethe.search.ledger import Ledger
from lethe.search.runs import Run, plan_runs
from lethe.store.storage import open_storage
from lethe.store.trials import RUN, TAKEN_FROM, candidates


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/studies.db"


def resumed(url, name="tiny"):
    return Ledger.resume(open_storage(url), name, space_of(tiny_design()))


def ended(ledger):
    return [(t.params["arm"], t.params["seed"]) for t in ledger.study.trials if t.state == TrialState.COMPLETE]


def test_runs_are_handed_out_in_their_order_seed_by_seed(url, tmp_path):
    ledger, runs = start(url), runs_of(tiny_design(), 2)
    assert plan_runs(ledger, runs, open_storage(url)) == 0
    assert [run_one(ledger, tmp_path) for _ in runs] == [run.params for run in runs]


def test_planning_again_adds_nothing_twice_and_more_seeds_add_only_these(url, tmp_path):
    ledger = start(url)
    for seeds in (2, 2, 3):
        plan_runs(ledger, runs_of(tiny_design(), seeds), open_storage(url))
    assert len(ledger.study.trials) == 9
    assert len({(p["arm"], p["seed"]) for p in ledger.trials.parameters()}) == 9


@pytest.mark.parametrize("writes", range(1, 9))
def test_a_driver_that_dies_while_it_plans_leaves_nothing_out_and_nothing_double(writes, url, tmp_path, monkeypatch):
    monkeypatch.setattr("tiny_ablation.open_storage", lambda url: brittle)
    brittle = BrittleStorage()
    ledger, runs = start(url), runs_of(tiny_design(), 2)
    brittle.writes_left = writes
    try:
        plan_runs(ledger, runs, brittle)
    except Killed:
        pass
    brittle.writes_left = None
    plan_runs(ledger, runs, brittle)
    assert sorted(map(str, ledger.trials.parameters())) == sorted(str(run.params) for run in runs)


def test_a_run_that_was_interrupted_is_repeated_and_no_other(url, tmp_path):
    ledger, runs = start(url), runs_of(tiny_design(), 2)
    plan_runs(ledger, runs, open_storage(url))
    run_one(ledger, tmp_path)
    ledger.ask()
    ledger.interrupt()
    ledger = resumed(url)
    plan_runs(ledger, runs, open_storage(url))
    while ledger.trials.claimed() < len(runs):
        run_one(ledger, tmp_path)
    assert sorted(ended(ledger)) == sorted((run.params["arm"], run.params["seed"]) for run in runs)
    keys = [t.user_attrs[RUN] for t in ledger.study.trials if t.state == TrialState.COMPLETE]
    assert sorted(keys) == sorted(run.key for run in runs)


def test_the_very_same_run_of_another_study_is_taken_over_with_all_it_scored(url, tmp_path):
    first, runs = start(url, "first"), runs_of(tiny_design(), 2)
    plan_runs(first, runs, open_storage(url))
    for _ in runs:
        run_one(first, tmp_path)
    second = start(url, "second")
    assert plan_runs(second, [*runs, *runs_of(tiny_design(), 3)[6:]], open_storage(url)) == 6
    assert second.trials.finished() == 6
    taken = second.study.trials[0]
    assert taken.user_attrs[TAKEN_FROM] == "first/0"
    assert list(candidates(taken)) == list(candidates(first.study.trials[0]))
    assert taken.values == first.study.trials[0].values
    assert taken.constraints == first.study.trials[0].constraints
    a, b = (read_ablation(url, name).effects() for name in ("first", "second"))
    assert a.drop(columns="n").equals(b.drop(columns="n"))


def test_a_run_of_another_hash_is_not_taken_over_and_a_failed_one_neither(url, tmp_path):
    first, runs = start(url, "first"), runs_of(tiny_design(), 1)
    plan_runs(first, runs, open_storage(url))
    for _ in runs:
        run_one(first, tmp_path, fail="loss=ll")
    other = [Run(params=run.params, key=f"another protocol {run.key}") for run in runs]
    assert plan_runs(start(url, "second"), other, open_storage(url)) == 0
    assert plan_runs(start(url, "third"), runs, open_storage(url)) == 2
