"""A ledger asks, records and tells; the study it keeps is an ordinary one, and survives a driver that dies anywhere."""

import math

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from slow_candidates import read_candidates
from tiny_study import (
    OBJECTIVES,
    SEVERAL,
    SPACE,
    BrittleStorage,
    Killed,
    candidate,
    run_trial,
    scores,
    tables_in_memory,
    tiny_facts,
    tiny_ledger,
)

from lethe.fronts.objectives import losses
from lethe.fronts.pareto import nondominated
from lethe.search.ledger import Ledger
from lethe.store import driver
from lethe.store.storage import open_storage
from lethe.store.trials import FAILURE, candidates

FAIL, COMPLETE, WAITING = TrialState.FAIL, TrialState.COMPLETE, TrialState.WAITING


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/studies.db")


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(driver, "BEAT", 0)


def states(ledger):
    return [trial.state for trial in ledger.study.trials]


def test_a_trial_is_asked_scored_and_told():
    ledger = tiny_ledger()
    number, params = ledger.ask()
    assert number == 0
    assert list(params) == list(SPACE)
    assert 0.001 <= params["lr"] <= 1
    ledger.record(number, candidate(verbmem_f=30, privleak=-20, knowmem_r=90))
    assert ledger.tell(number) is None
    assert ledger.study.trials[0].values == [30.0, 20.0, 10.0]
    assert states(ledger) == [COMPLETE]


def test_scores_and_candidates_are_read_back_exactly(storage):
    ledger = tiny_ledger(storage)
    number, params = ledger.ask()
    value = 100 / 3
    made = [
        candidate(5, "student", "w5s", verbmem_f=value, mia_ppl=math.nan),
        candidate(5, "teacher", "w5t", verbmem_f=0.1 + 0.2),
        candidate(10, "student", "w10s", privleak=-1e-17),
    ]
    for each in made:
        ledger.record(number, each)
    ledger.tell(number)
    trial = optuna.load_study(study_name="tiny", storage=storage).trials[0]
    assert repr(list(candidates(trial))) == repr(
        [
            {name: candidate[name] for name in ("axis", "at", "role", "scores", "cost", "weights", "items")}
            for candidate in made
        ]
    )
    assert trial.params == params


def test_the_feasible_candidate_with_the_smallest_worst_loss_speaks_for_its_trial():
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    ledger.record(number, candidate(10, "student", verbmem_f=10, knowmem_r=90, utility=39))  # infeasible
    ledger.record(number, candidate(10, "teacher", verbmem_f=70, knowmem_r=60))
    ledger.record(number, candidate(20, "student", verbmem_f=60, knowmem_r=50))
    ledger.tell(number)
    trial = ledger.study.trials[0]
    assert trial.values == [60.0, 0.0, 50.0]
    assert trial.user_attrs["representative"] == "step/20/student"
    assert trial.constraints == {"utility": -10.0}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("score", ["verbmem_f", "privleak", "knowmem_r", "utility"])
def test_a_score_that_is_not_finite_in_any_candidate_fails_the_trial(score, value):
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    ledger.record(number, candidate(10))
    ledger.record(number, candidate(20, **{score: value}))
    assert ledger.tell(number) == f"score '{score}' is {value}"
    trial = ledger.study.trials[0]
    assert (trial.state, trial.values, trial.constraints) == (FAIL, None, {})
    assert trial.user_attrs[FAILURE] == ledger.trials.failures()[0] == f"score '{score}' is {value}"


@pytest.mark.parametrize("score", ["verbmem_f", "privleak", "knowmem_r", "utility"])
def test_a_missing_score_fails_the_trial_and_is_named(score):
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    there = {name: value for name, value in scores().items() if name != score}
    ledger.record(number, candidate() | {"scores": there})
    assert f"score '{score}' is missing" in ledger.tell(number)
    assert states(ledger) == [FAIL]


def test_a_trial_without_a_score_fails():
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    assert ledger.tell(number) == "no candidate was scored"
    assert states(ledger) == [FAIL]


def test_a_failure_keeps_its_reason_and_what_was_scored_before_it():
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    ledger.record(number, candidate())
    assert ledger.tell(number, "Diverged: loss is nan") == "Diverged: loss is nan"
    assert ledger.trials.failures() == {0: "Diverged: loss is nan"}
    assert len(list(candidates(ledger.study.trials[0]))) == 1
    assert read_candidates(ledger.study, ledger.facts).empty


def test_a_study_of_failures_goes_on_being_asked():
    ledger = tiny_ledger()
    asked = []
    for _ in range(15):
        number, params = ledger.ask()
        asked.append(params["lr"])
        ledger.tell(number, "out of memory")
    assert len(set(asked)) == 15


def test_constraints_reach_the_sampler_and_only_feasible_trials_are_the_best():
    ledger = tiny_ledger()
    run_trial(ledger, verbmem_f=0, knowmem_r=100, utility=10)
    run_trial(ledger, verbmem_f=40, utility=60)
    trials = ledger.study.trials
    assert [trial.constraints for trial in trials] == [{"utility": 30.0}, {"utility": -20.0}]
    assert [trial.system_attrs["constraints:utility"] for trial in trials] == [30.0, -20.0]
    assert [trial.number for trial in ledger.study.best_trials] == [1]


def test_optuna_s_best_trials_are_the_front_of_the_values():
    ledger = tiny_ledger()
    for i in range(30):
        run_trial(ledger, verbmem_f=i * 37 % 30, privleak=i * 17 % 30 - 15, knowmem_r=100 - i * 7 % 30)
    trials = ledger.study.trials
    front = nondominated(losses_of(trials))
    assert {t.number for t in ledger.study.best_trials} == {t.number for t, on in zip(trials, front, strict=True) if on}
    assert 1 < front.sum() < 30


def losses_of(trials):
    import numpy as np

    return np.array([losses(OBJECTIVES, next(candidates(trial))["scores"]) for trial in trials])


def test_optuna_loads_the_study_as_an_ordinary_one(storage, tmp_path):
    run_trial(tiny_ledger(storage), verbmem_f=30, privleak=-20, knowmem_r=90)
    study = optuna.load_study(study_name="tiny", storage=f"sqlite:///{tmp_path}/studies.db")
    assert [direction.name for direction in study.directions] == ["MINIMIZE"] * 3
    assert study.metric_names == ["verbmem_f (minimize)", "privleak (zero)", "knowmem_r (maximize)"]
    assert study.best_trials[0].values == [30.0, 20.0, 10.0]


def test_a_name_that_is_taken_is_refused_and_the_study_left_alone():
    storage = InMemoryStorage()
    run_trial(tiny_ledger(storage))
    with pytest.raises(ValueError, match="study 'tiny' exists: go on with --resume, or choose another --name"):
        tiny_ledger(storage)
    assert len(optuna.load_study(study_name="tiny", storage=storage).trials) == 1


def test_a_space_that_makes_no_sense_starts_no_study():
    storage = InMemoryStorage()
    with pytest.raises(ValueError, match="low end"):
        Ledger.create(storage, "tiny", tiny_facts(), {"lr": ("uniform", 1, 0)})
    assert optuna.get_all_study_names(storage) == []


def test_what_was_running_is_failed_as_interrupted_and_runs_again_once_with_its_parameters(storage):
    ledger = tiny_ledger(storage)
    run_trial(ledger)
    running = [ledger.ask() for _ in range(2)]
    ledger.record(1, candidate())
    del ledger  # the driver dies without a word
    for _ in range(3):
        ledger = Ledger.resume(storage, "tiny", SPACE)
    assert states(ledger) == [COMPLETE, FAIL, FAIL, WAITING, WAITING]
    assert ledger.trials.interrupted() == [1, 2]
    assert (ledger.trials.finished(), ledger.trials.failures()) == (1, {})
    assert [ledger.ask() for _ in range(2)] == [(3, running[0][1]), (4, running[1][1])]
    assert ledger.ask()[1] not in [params for _, params in running]


def test_a_rerun_that_is_interrupted_runs_again_once_with_the_same_parameters():
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage)
    _, params = ledger.ask()
    for number in (1, 2, 3):
        ledger = Ledger.resume(storage, "tiny", SPACE)
        assert ledger.ask() == (number, params)
    run_to_its_end(ledger, 3)
    ledger = Ledger.resume(storage, "tiny", SPACE)
    assert states(ledger) == [FAIL, FAIL, FAIL, COMPLETE]
    assert ledger.trials.finished() == 1


def test_an_interrupt_that_was_told_is_no_other_than_one_that_was_not():
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage)
    _, params = ledger.ask()
    ledger.interrupt()
    assert ledger.trials.interrupted() == [0]
    ledger.interrupt()  # nothing is left to tell
    assert Ledger.resume(storage, "tiny", SPACE).ask() == (1, params)


def test_nothing_that_finished_is_run_again():
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage)
    run_trial(ledger)
    ledger.tell(ledger.ask()[0], "out of memory")
    ledger = Ledger.resume(storage, "tiny", SPACE)
    assert states(ledger) == [COMPLETE, FAIL]
    assert ledger.trials.finished() == 2
    assert ledger.trials.failures() == {1: "out of memory"}


def run_to_its_end(ledger, number):
    ledger.record(number, candidate())
    ledger.tell(number)


def resume_after_deaths(storage, deaths):
    """Resume a study; the driver dies once at each number of writes in `deaths`, then no more."""
    for writes in deaths:
        storage.writes_left = writes
        try:
            Ledger.resume(storage, "tiny", SPACE)
        except Killed:
            pass
    storage.writes_left = None
    return Ledger.resume(storage, "tiny", SPACE)


@pytest.mark.parametrize("deaths", [*[(n,) for n in range(8)], (0, 1, 2, 3, 4, 5), (1, 1, 1), (3, 1, 2), (2, 2)])
def test_a_driver_that_dies_anywhere_while_it_resumes_queues_each_trial_once(deaths):
    storage = BrittleStorage()
    ledger = tiny_ledger(storage)
    run_trial(ledger)
    running = [ledger.ask()[1] for _ in range(2)]
    ledger = resume_after_deaths(storage, deaths)
    assert states(ledger) == [COMPLETE, FAIL, FAIL, WAITING, WAITING]
    assert ledger.trials.interrupted() == [1, 2]
    assert [ledger.ask()[1] for _ in range(2)] == running
    assert ledger.trials.finished() == 1


def one_trial(ledger):
    number, _ = ledger.ask()
    ledger.record(number, candidate(10))
    ledger.record(number, candidate(20, "teacher"))
    ledger.tell(number)


@pytest.mark.parametrize("writes", range(11))
def test_a_driver_that_dies_anywhere_in_a_trial_ends_with_that_trial_run_once(writes):
    storage = BrittleStorage()
    ledger = tiny_ledger(storage)
    storage.writes_left = writes
    try:
        one_trial(ledger)
        assert writes >= 9
    except Killed:
        assert states(tiny_view(storage)) in ([], [TrialState.RUNNING])
    storage.writes_left = None
    ledger = Ledger.resume(storage, "tiny", SPACE)
    while ledger.trials.finished() < 1:
        one_trial(ledger)
    assert [state for state in states(ledger) if state != FAIL] == [COMPLETE]
    assert read_candidates(ledger.study, ledger.facts)[["at", "role"]].to_numpy().tolist() == [
        [10, "student"],
        [20, "teacher"],
    ]


def tiny_view(storage):
    return Ledger(storage, "tiny", SPACE)


def test_the_front_is_that_of_the_complete_trials():
    ledger = tiny_ledger(tables_in_memory())
    assert len(ledger.front()) == 0
    for weights, verbmem in (("a", 50), ("b", 20), ("c", 60)):
        number, _ = ledger.ask()
        ledger.record(number, candidate(10, "student", weights, verbmem_f=verbmem))
        ledger.record(number, candidate(10, "teacher", weights + "t", verbmem_f=verbmem, privleak=verbmem - 45))
        ledger.tell(number)
    assert set(ledger.front()["weights"]) == {"b"}


def test_a_trial_that_goes_on_from_an_interrupted_one_s_state_is_paid_for_once():
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage)
    number, _ = ledger.ask()
    ledger.spend(number, 30.0)
    ledger.interrupt()
    ledger = Ledger.resume(storage, "tiny", SPACE)
    again, _ = ledger.ask()
    ledger.spend(again, 50.0)
    other, _ = ledger.ask()
    ledger.spend(other, 7.0)
    assert ledger.trials.spent() == 57


def test_over_several_methods_what_was_running_runs_again_with_its_method_s_parameters(storage):
    ledger = tiny_ledger(storage, space=SEVERAL, sampler="random")
    running = [ledger.ask() for _ in range(4)]
    assert {params["method"] for _, params in running} == {"quick", "slow"}
    del ledger  # the driver dies without a word
    ledger = Ledger.resume(storage, "tiny", SEVERAL)
    assert [ledger.ask()[1] for _ in range(4)] == [params for _, params in running]


def test_over_several_methods_a_queued_trial_and_one_taken_over_have_the_parameters_of_theirs():
    ledger = tiny_ledger(tables_in_memory(), space=SEVERAL)
    quick = {"method": "quick", "quick.lr": 0.5, "quick.delta": 0.25}
    slow = {"method": "slow", "slow.lr": 0.01, "slow.layer": 3, "slow.kind": True}
    ledger.queue(slow, {})
    assert ledger.ask() == (0, slow)
    run_to_its_end(ledger, 0)
    assert ledger.take_over(quick, [candidate(verbmem_f=10)], {}) is None
    assert [trial.params for trial in ledger.study.trials] == [slow, quick]
    table = ledger.read().candidates
    assert table["method"].tolist() == ["slow", "quick"]
    assert table["slow.layer"].tolist()[:1] == [3]
    assert table[["quick.lr", "slow.layer", "slow.kind"]].isna().to_numpy().tolist() == [
        [True, False, False],
        [False, True, True],
    ]
