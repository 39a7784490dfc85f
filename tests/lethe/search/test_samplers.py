"""What a sampler suggests follows from the seed and the study's history, and from nothing else."""

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from tiny_study import SEVERAL, SPACE, BrittleStorage, Killed, candidate, made_up, tiny_ledger

from lethe.search.ledger import Ledger
from lethe.search.samplers import SAMPLERS, make_sampler, start_up
from lethe.store import driver

TRIALS = 45  # more than two generations of NSGA-II, and well past TPE's random start


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(driver, "BEAT", 0)


each_sampler = pytest.mark.parametrize("sampler", SAMPLERS)
SPACES = {"one method": SPACE, "several": SEVERAL}
each_space = pytest.mark.parametrize("space", SPACES)


def run(ledger, trials):
    """Run trials one at a time until so many are finished, and return all parameters that ran to their end."""
    while ledger.trials.finished() < trials:
        number, params = ledger.ask()
        ledger.record(number, candidate(**made_up(params)))
        ledger.tell(number)
    return completed(ledger)


def completed(ledger):
    trials = ledger.study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    return [trial.params for trial in trials]


@pytest.fixture(scope="module")
def whole():
    """What each sampler suggests in a study of each space that runs from its start to its end."""
    return {
        (sampler, space): run(tiny_ledger(space=SPACES[space], sampler=sampler), TRIALS)
        for sampler in SAMPLERS
        for space in SPACES
    }


@each_sampler
@each_space
def test_the_same_seed_gives_the_same_suggestions_and_another_one_others(sampler, space, whole):
    assert run(tiny_ledger(space=SPACES[space], sampler=sampler), TRIALS) == whole[sampler, space]
    assert run(tiny_ledger(space=SPACES[space], sampler=sampler, seed=1), 3) != whole[sampler, space][:3]


@pytest.mark.parametrize("sampler", ["tpe", "random"])  # the genetic ones may hand on a parent as it is
def test_no_suggestion_is_made_twice(sampler, whole):
    for space in SPACES:
        assert len({tuple(params.items()) for params in whole[sampler, space]}) == TRIALS


@each_sampler
@each_space
def test_a_study_that_is_interrupted_again_and_again_goes_on_as_if_it_had_not_been(sampler, space, whole):
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage, space=SPACES[space], sampler=sampler)
    for stop in (0, 7, 7, 23, 41):
        run(ledger, min(stop, TRIALS - 1))
        ledger.ask()  # the driver dies while this trial runs
        ledger = Ledger.resume(storage, "tiny", SPACES[space])
    assert run(ledger, TRIALS) == whole[sampler, space]


@each_sampler
@each_space
def test_a_study_that_is_opened_anew_between_trials_goes_on_too(sampler, space, whole):
    storage = InMemoryStorage()
    run(tiny_ledger(storage, space=SPACES[space], sampler=sampler), 22 - 2)
    assert run(Ledger.resume(storage, "tiny", SPACES[space]), TRIALS) == whole[sampler, space]


@each_sampler
@each_space
@pytest.mark.parametrize("before", [2, 21])
def test_a_driver_that_dies_while_it_asks_changes_no_suggestion(sampler, space, before, whole):
    before = before + 3 - 3
    for writes in range(8):
        storage = BrittleStorage()
        ledger = tiny_ledger(storage, space=SPACES[space], sampler=sampler)
        run(ledger, before)
        storage.writes_left = writes
        try:
            ledger.ask()
        except Killed:
            pass
        storage.writes_left = None
        resumed = run(Ledger.resume(storage, "tiny", SPACES[space]), before + 3)
        assert resumed == whole[sampler, space][: before + 3], f"died at write {writes}"


@each_sampler
def test_of_several_methods_a_trial_has_one_and_its_settings_alone_and_each_has_its_turn(sampler, whole):
    for params in whole[sampler, "several"]:
        assert set(params) == {"method", *(name for name in SEVERAL if name.startswith(f"{params['method']}."))}
    assert {params["method"] for params in whole[sampler, "several"]} == {"quick", "slow"}


def best_first(params):
    """Scores by which the quick method is the better one, and its rate is to be large."""
    rate = params.get("quick.lr", 0.0)
    return {"verbmem_f": 90 - 80 * rate, "privleak": 90 - 80 * rate, "knowmem_r": 10 + 80 * rate}


def test_tpe_learns_the_method_and_the_settings_of_that_method():
    ledger = tiny_ledger(space=SEVERAL, sampler="tpe")
    for _ in range(40):
        number, params = ledger.ask()
        ledger.record(number, candidate(**best_first(params)))
        ledger.tell(number)
    later = completed(ledger)[20:]
    quick = [params["quick.lr"] for params in later if params["method"] == "quick"]
    assert len(quick) > 15
    assert sum(rate > 0.1 for rate in quick) > len(quick) / 2  # by chance a third of them


@pytest.mark.parametrize(
    ("name", "known", "left", "words"),
    [
        ("tpe", 0, 12, "10 of 12 trials are start-up trials, drawn at random: tpe learns for the others"),
        ("tpe", 4, 12, "6 of 12 trials are start-up trials, drawn at random: tpe learns for the others"),
        ("nsga2", 0, 20, "all 20 trials are start-up trials, drawn at random: nsga2 learns behind 20"),
        ("tpe", 10, 2, ""),
        ("tpe", 0, 0, ""),
        ("random", 0, 12, ""),
    ],
)
def test_how_many_trials_are_drawn_before_a_sampler_learns_is_said(name, known, left, words):
    assert start_up(name, known=known, left=left) == words


@pytest.mark.parametrize("sampler", sorted(set(SAMPLERS) - {"random"}))
def test_so_many_suggestions_are_those_of_chance_as_are_said_and_no_more(sampler):
    """As long as nothing is learned, other scores change no suggestion."""
    courses = []
    for loss in (1.0, -1.0):
        ledger = tiny_ledger(sampler=sampler)
        for _ in range(24):
            number, params = ledger.ask()
            ledger.record(number, candidate(verbmem_f=50 + loss * params["lr"], privleak=10 + loss * params["delta"]))
            ledger.tell(number)
        courses.append(completed(ledger))
    same = [one == other for one, other in zip(*courses, strict=True)]
    said = int(start_up(sampler, known=0, left=24).split()[0])
    assert all(same[:said])
    assert not all(same[said:])


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3"])
def test_the_genetic_samplers_breed_the_method_and_draw_its_settings(sampler, whole):
    """So no setting is a parent's, which of one method many are: a search over several says so."""
    drawn = [value for params in whole[sampler, "several"] for name, value in params.items() if name.endswith(".lr")]
    bred = [params["lr"] for params in whole[sampler, "one method"]]
    assert len(set(drawn)) == len(drawn) > len(set(bred))


def test_the_samplers_tell_apart():
    distributions = {"x": FloatDistribution(0, 1)}
    first = {}
    for name in SAMPLERS:
        study = optuna.create_study(directions=["minimize"] * 2, sampler=make_sampler(name, seed=3, suggestion=0))
        first[name] = study.ask(distributions).params["x"]
    assert all(0 <= value <= 1 for value in first.values())
    assert {type(make_sampler(name, seed=0, suggestion=0)).__name__ for name in SAMPLERS} == {
        "TPESampler",
        "NSGAIISampler",
        "NSGAIIISampler",
        "RandomSampler",
    }


def test_an_unknown_sampler_is_named_with_the_choices():
    with pytest.raises(ValueError, match="sampler 'grid' is unknown: choose tpe, nsga2, nsga3, random"):
        make_sampler("grid", seed=0, suggestion=0)


def test_seed_and_number_are_not_added_up():
    """Seed 1's first suggestion is not seed 0's second."""
    study = optuna.create_study(directions=["minimize"] * 2)
    values = []
    for seed, suggestion in ((0, 1), (1, 0)):
        study.sampler = make_sampler("random", seed=seed, suggestion=suggestion)
        values.append(study.ask({"x": FloatDistribution(0, 1)}).params["x"])
    assert values[0] != values[1]
