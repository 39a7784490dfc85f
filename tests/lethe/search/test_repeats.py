"""Recipes of the front are run again with other seeds, where that decides whether they stay on it."""

import pytest
from optuna.trial import TrialState
from tiny_study import SPACE, candidate, run_trial, tiny_ledger

from lethe.search.ledger import Ledger
from lethe.search.limits import FULL
from lethe.search.repeats import Race, uncertainty
from lethe.store import driver
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe.store.trials import REPEAT_SEED, REPEATS, RERUN_OF

SURE = {"verbmem_f": 10.0, "knowmem_r": 90.0}
OPEN = ({"verbmem_f": 9.0, "knowmem_r": 80.0}, {"verbmem_f": 9.5, "knowmem_r": 81.0})  # within each other's intervals


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(driver, "BEAT", 0)


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/studies.db")


@pytest.fixture
def ledger(storage):
    """A study whose search is through: a point that is best in all, and one that is beaten for sure."""
    made = tiny_ledger(storage, about={"settings": {"seed": 5}})
    run_trial(made, **SURE)
    run_trial(made, verbmem_f=90, knowmem_r=20)
    return made


def race_of(ledger, storage, most=3):
    return Race(ledger, storage, Reader(storage.url, "tiny"), most)


def end(ledger, number, **scores):
    ledger.record(number, candidate(**scores))
    ledger.tell(number)


def repeats(ledger):
    return [(t.user_attrs[REPEATS], t.user_attrs[REPEAT_SEED]) for t in ledger.trials.repeats()]


def test_a_point_that_ran_once_is_run_again_and_takes_no_more_once_it_is_settled(ledger, storage):
    race = race_of(ledger, storage)
    assert race.at_most() == 3
    number, params = race.ask()
    assert params == ledger.study.trials[0].params | {"seed": 6}
    end(ledger, number, **SURE)
    assert race.ask() is None
    assert race.had(ledger.trials) == race.likely(ledger.trials) == FULL
    assert repeats(ledger) == [(0, 6)]


def test_a_point_that_is_never_settled_is_run_at_most_so_often(ledger, storage):
    for scores in OPEN:
        run_trial(ledger, **SURE | scores)
    race, swing = race_of(ledger, storage, most=2), iter([1.0, -1.0] * 5)
    while begun := race.ask():
        of = ledger.trials.all()[begun[0]].user_attrs[REPEATS]
        move = next(swing)
        scores = SURE if of == 0 else OPEN[of - 2]
        end(ledger, begun[0], verbmem_f=scores["verbmem_f"] + move, knowmem_r=scores["knowmem_r"] + move)
    counts = race.begun()
    assert max(counts.values()) <= 2
    assert 1 not in counts  # what is beaten for sure takes none
    assert len(set(repeats(ledger))) == len(repeats(ledger))


def test_what_repeats_cost_is_no_place_of_the_search_and_no_candidate(ledger, storage):
    number, _ = race_of(ledger, storage).ask()
    before = ledger.trials.finished(), ledger.trials.claimed()
    assert before == (2, 2)
    end(ledger, number, verbmem_f=1.0, knowmem_r=99.0)
    assert (ledger.trials.finished(), ledger.trials.claimed()) == before
    study = ledger.read()
    assert study.candidates["trial"].tolist() == [0, 1]
    assert ledger.front()["trial"].tolist() == [0]
    assert study.repeats[["trial", REPEATS, REPEAT_SEED]].to_numpy().tolist() == [[2, 0, 6]]
    assert len(study.own_trials) == 2


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_a_search_that_goes_on_after_its_repeats_suggests_what_it_would_have_without_them(sampler, tmp_path):
    asked = []
    for name, with_repeats in (("a", True), ("b", False)):
        storage = open_storage(f"sqlite:///{tmp_path}/{name}.db")
        ledger = tiny_ledger(storage, sampler=sampler)
        for i in range(21):  # a whole population of NSGA-II, and TPE's first random ones
            run_trial(ledger, verbmem_f=50 - i, knowmem_r=50 + i)
        for seed in range(1, 4) if with_repeats else ():
            end(ledger, ledger.repeat(20, seed), verbmem_f=90, knowmem_r=0)
        asked.append([ledger.ask()[1] for _ in range(3)])
    assert asked[0] == asked[1]


def test_a_repeat_whose_driver_died_is_begun_again_once_with_its_seed_and_by_nobody_else(ledger, storage):
    number, _ = race_of(ledger, storage).ask()
    again = Ledger.resume(storage, "tiny", SPACE)
    assert again.ask()[0] == number + 1  # of the search: a suggestion, and not the repeat
    race = race_of(again, storage)
    assert race.left()
    rerun, params = race.ask()
    assert again.trials.all()[rerun].user_attrs[RERUN_OF] == number
    assert again.trials.first_run(rerun) == number
    assert params["seed"] == 6
    assert race_of(again, storage).ask()[1]["seed"] == 7  # the next one, as long as that one runs
    assert race.begun()[0] == 2
    end(again, rerun, **SURE)
    assert number in again.trials.ended()


def test_of_two_drivers_each_begins_what_the_other_has_not(ledger, storage):
    other = Ledger(storage, "tiny", SPACE)
    seeds = [race_of(own, storage, most=2).ask()[1]["seed"] for own in (ledger, other)]
    assert seeds == [6, 7]
    assert race_of(other, storage, most=2).ask() is None


def test_a_repeat_that_fails_is_told_as_one_and_is_not_run_for_ever(ledger, storage):
    race = race_of(ledger, storage, most=2)
    for _ in range(2):
        number, _ = race.ask()
        ledger.tell(number, "Diverged: loss is nan")
    assert race.ask() is None
    assert list(ledger.trials.failed_repeats().values()) == ["Diverged: loss is nan"] * 2
    assert ledger.trials.failures() == {}
    assert ledger.study.trials[number].state == TrialState.FAIL


def test_what_is_least_certain_for_its_runs_comes_next():
    once, beaten = {"non-dominated": 0.99, "seeds": 1}, {"non-dominated": 0.04, "seeds": 1}
    assert (uncertainty(once), uncertainty(beaten)) == (0.25, 0.0)
    assert uncertainty({"non-dominated": 0.96, "seeds": 2}) == 0.0
    assert uncertainty({"non-dominated": 0.3, "seeds": 2}) == pytest.approx(0.21)
