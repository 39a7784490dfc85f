"""A search starts from what a study knows: told where it would come to the same, else the best is queued first."""

import pytest
from optuna.trial import TrialState
from tiny_study import SEVERAL, SPACE, candidate, made_up, scores, tiny_facts, tiny_ledger

from lethe.fronts.objectives import Constraint
from lethe.search.ledger import Ledger
from lethe.search.warm_start import Known, Sought, best_of, in_words, start_from
from lethe.store.facts import CONTENT, PROGRAM
from lethe.store.storage import open_storage
from lethe.store.trials import STOPPED

ABOUT = {
    "benchmark": "muse-mini",
    "protocol": "muse",
    CONTENT: "c0ffee",
    "method": "quick",
    "space": SPACE,
    "settings": {"lr": 0.1, "delta": 0.5, "steps": 60},
}
BASE = {"quick": {"lr": 0.1, "delta": 0.5, "steps": 60}}
WIDER = {"lr": ("log_uniform", 1e-5, 10.0), "delta": ("uniform", 0.0, 1.0)}


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/studies.db")


def old_study(storage, trials=4, space=SPACE, **about):
    """A finished search: every other trial is dominated by the one before, and the last one failed."""
    ledger = tiny_ledger(storage, "old", space=space, about=ABOUT | about)
    for _ in range(trials):
        number, params = ledger.ask()
        lost = {"verbmem_f": 100.0, "privleak": 100.0, "knowmem_r": 0.0}
        ledger.record(number, candidate(**(lost if number % 2 else made_up(params))))
        ledger.tell(number)
    ledger.ask()
    ledger.tell(trials, "it broke")
    return ledger


def known(ledger):
    trials = ledger.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return Known(name="old", facts=ledger.facts, trials=trials, best=best_of(ledger.read().candidates, ledger.facts))


def new_study(storage, space=WIDER, name="new", **changes):
    return Ledger.create(storage, name, tiny_facts(about=ABOUT | {"space": space}, **changes), space)


def parameters(ledger, state):
    return [trial.params for trial in ledger.study.trials if trial.state == state]


def test_a_study_whose_space_is_widened_is_told_whole_and_counts_for_no_trial_of_the_search(storage):
    old = old_study(storage)
    ledger = new_study(storage)
    start = start_from(ledger, known(old), Sought(space=WIDER, bases=BASE), storage)
    assert (start.told, start.queued, dict(start.left)) == (4, 0, {})
    assert parameters(ledger, TrialState.COMPLETE) == parameters(old, TrialState.COMPLETE)
    assert [t.values for t in ledger.study.trials] == [t.values for t in old.study.trials[:4]]
    assert (ledger.trials.finished(), ledger.trials.known()) == (0, 4)
    assert ledger.front()["trial"].tolist() == old.front()["trial"].tolist() == [0, 2]
    number, _ = ledger.ask()
    ledger.record(number, candidate())
    assert ledger.tell(number) is None
    assert ledger.trials.finished() == 1


def test_a_trial_that_was_stopped_there_is_told_as_one_and_is_none_that_this_search_stopped(storage):
    old = old_study(storage, 2)
    number, _ = old.ask()
    old.record(number, candidate())
    old.stop(number, "step 10: 2 of the 3 trials that came there are ahead of it, and 1 of so many go on")
    old.tell(number)
    ledger = new_study(storage)
    assert start_from(ledger, known(old), Sought(space=WIDER, bases=BASE), storage).told == 3
    assert [STOPPED in trial.user_attrs for trial in ledger.study.trials] == [False, False, True]
    assert (ledger.trials.stopped(), [*old.trials.stopped()]) == ({}, [number])


def test_what_lies_outside_the_space_is_left_out_and_counted(storage):
    old = old_study(storage, 8)
    limit = sorted(t.params["lr"] for t in old.study.trials[:8])[5]
    space = {"lr": ("log_uniform", 1e-3, limit * 1.0001), "delta": ("uniform", 0.0, 1.0)}
    start = start_from(new_study(storage, space), known(old), Sought(space=space, bases=BASE), storage)
    assert (start.told, dict(start.left)) == (6, {"lr outside the space": 2})
    assert in_words(start, "'old'") == "started from 'old': 6 trials told; left out: 2 lr outside the space"


def test_a_setting_that_is_searched_anew_has_the_value_that_it_had(storage):
    old = old_study(storage)
    space = SPACE | {"steps": ("integer", 20, 80)}
    ledger = new_study(storage, space)
    assert start_from(ledger, known(old), Sought(space=space, bases=BASE), storage).told == 4
    assert {p["steps"] for p in parameters(ledger, TrialState.COMPLETE)} == {60}


OTHERS = {
    "its benchmark is muse-news, not muse-mini": {"benchmark": "muse-news"},
    "its protocol is strict, not muse": {"protocol": "strict"},
    "its protocol is not known": {"protocol": None},
    "it has other texts or models": {CONTENT: "0ther"},
    "its texts or models are not known to be these": {CONTENT: None},
    "its steps is 30, not 60": {"settings": BASE["quick"] | {"steps": 30}},
    "its steps is not known": {"settings": {}},
}


@pytest.mark.parametrize(("reason", "about"), OTHERS.items(), ids=OTHERS)
def test_where_only_the_parameters_agree_the_best_are_queued_first_and_it_says_why(storage, reason, about):
    old = known(old_study(storage, 6, **about))
    ledger = new_study(storage)
    start = start_from(ledger, old, Sought(space=WIDER, bases=BASE), storage)
    assert (start.told, start.queued, list(start.unlike)) == (0, len(old.best), [reason])
    best = [trial.params for trial in old.trials if trial.number in old.best]
    assert [ledger.ask()[1] for _ in best] == best
    assert sorted(old.best) == [0, 2, 4]


MADE = {
    "": {PROGRAM: {"quick": "abc"}, "versions": {"torch": "2", "ray": "1"}},
    "other code or versions than are here": {PROGRAM: {"quick": "def"}},
    "other code or versions than are here (torch 1, not 2)": {PROGRAM: {"quick": "def"}, "versions": {"torch": "1"}},
    "code that is not known to be what is here": {},
}


@pytest.mark.parametrize(("made", "about"), MADE.items(), ids=MADE)
def test_what_other_code_or_versions_made_is_told_all_the_same_and_it_says_so(storage, made, about):
    old = known(old_study(storage, 2, **about))
    here = {PROGRAM: {"quick": "abc"}, "versions": {"torch": "2"}}
    ledger = Ledger.create(storage, "new", tiny_facts(about=ABOUT | {"space": WIDER} | here), WIDER)
    start = start_from(ledger, old, Sought(space=WIDER, bases=BASE), storage)
    assert (start.told, start.queued) == (2, 0)
    said = f", 2 of them made by {made}" if made else ""
    assert in_words(start, "'old'") == f"started from 'old': 2 trials told{said}"


def test_a_start_is_made_once_wherever_it_was_interrupted(storage):
    old = known(old_study(storage))
    ledger, sought = new_study(storage), Sought(space=WIDER, bases=BASE)
    start_from(ledger, Known(name="old", facts=old.facts, trials=old.trials[:2], best=old.best), sought, storage)
    again = start_from(ledger, old, sought, storage)
    assert (again.told, again.before) == (2, 2)
    assert len(ledger.study.trials) == 4


def test_equal_parameters_are_queued_once(storage):
    old = old_study(storage, 1, protocol="strict")
    params = old.study.trials[0].params
    for _ in range(2):
        assert old.take_over(params, [candidate(**made_up(params))], {}) is None
    start = start_from(new_study(storage), known(old), Sought(space=WIDER, bases=BASE), storage)
    assert (start.queued, dict(start.left)) == (1, {"the same parameters as another": 2})


def test_a_trial_without_a_score_that_the_search_needs_is_left_out(storage):
    old = old_study(storage, 1)
    bare = {name: value for name, value in scores().items() if name != "utility"}
    trial = old.study.trials[0]
    for key in [k for k in trial.user_attrs if k.startswith("candidate/")]:
        trial.user_attrs[key] = {"scores": bare}
    found = Known(name="old", facts=old.facts, trials=[trial], best=frozenset())
    start = start_from(new_study(storage), found, Sought(space=WIDER, bases=BASE), storage)
    assert list(start.left) == ["score 'utility' is missing (there: verbmem_f, privleak, knowmem_r)"]


def test_of_a_study_from_before_a_score_that_is_guarded_the_best_is_queued(storage):
    old = old_study(storage)
    guard = (*old.facts.constraints, Constraint(score="repetition_f", ceiling=12.0))
    start = start_from(new_study(storage, constraints=guard), known(old), Sought(space=WIDER, bases=BASE), storage)
    assert (start.told, start.queued > 0) == (0, True)
    assert set(start.unlike) == {"it is from before there was repetition_f"}


def test_one_method_s_study_is_told_to_a_search_of_several_and_the_other_way_round(storage):
    bases = {"quick": {"steps": 60}, "slow": {"steps": 60}}
    old = known(old_study(storage))
    several = new_study(storage, SEVERAL)
    assert start_from(several, old, Sought(space=SEVERAL, bases=bases), storage).told == 4
    told = parameters(several, TrialState.COMPLETE)
    assert {frozenset(p) for p in told} == {frozenset(("method", "quick.lr", "quick.delta"))}
    back = Known(
        name="several",
        facts=tiny_facts(about=ABOUT | {"method": "quick,slow", "settings": bases}),
        trials=several.study.trials,
        best=frozenset(),
    )
    single = new_study(storage, name="single")
    assert start_from(single, back, Sought(space=WIDER, bases=BASE), storage).told == 4
    other = start_from(new_study(storage, name="slow"), old, Sought(space=WIDER, bases={"slow": {}}), storage)
    assert dict(other.left) == {"of method quick": 4}


def test_what_scores_as_the_target_does_is_no_find(storage):
    old = old_study(storage, 2)
    first = old.read().candidates.iloc[0]
    target = {o.score: [first[o.score], 0, 0] for o in old.facts.objectives}
    table = old.read().candidates
    assert best_of(table, tiny_facts(references={"target": target})) == best_of(table[1:], old.facts)
