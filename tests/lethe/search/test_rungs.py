"""A study's rule asked for its running trials: whom it compares, what is stored of it, and that a resumed one agrees."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage
from tiny_study import SEVERAL, SPACE, BrittleStorage, Killed, candidate, tiny_ledger

from lethe.search.ledger import Ledger
from lethe.search.rule import Rule
from lethe.search.rungs import MOST, Rungs, Stopping
from lethe.store.trials import INTERRUPTED, RERUN_OF, RUNGS, STOPPED

ABOUT = Rule().about()
END = 90.0


def scored(at, loss, **more):
    return candidate(at, verbmem_f=loss, privleak=loss, knowmem_r=100 - loss, **more)


class Loop:
    """The search without Ray: trials of which each has the same loss behind every step, asked about at each."""

    def __init__(self, ledger):
        self.ledger, self.stopping = ledger, Stopping.of(ledger, lambda params: END)

    def begin(self):
        number, params = self.ledger.ask()
        self.stopping.begin(number, params)
        return number

    def report(self, number, loss, at):
        reason = self.stopping.reason(number, [scored(at, loss)])
        self.ledger.record(number, scored(at, loss))
        if reason or at == END:
            self.stopping.end(number)
            self.ledger.tell(number)
        return reason

    def run(self, loss, ats=(10, 20, 30, 60, 90)):
        number = self.begin()
        return next(filter(None, (self.report(number, loss, at) for at in ats)), None)


@pytest.fixture
def loop():
    return Loop(tiny_ledger(about=ABOUT, sampler="random"))


def test_a_study_without_a_rule_stops_nothing():
    assert Stopping.of(tiny_ledger(), lambda params: END) is None


def test_a_stopped_trial_is_complete_with_its_candidates_and_the_reason(loop):
    assert [loop.run(loss) for loss in (10, 20)] == [None, None]
    reason = loop.run(30)
    assert reason == "step 10: 2 of the 3 trials that came there are ahead of it, and 1 of so many go on"
    trial = loop.ledger.study.trials[2]
    assert (trial.state.name, trial.user_attrs[STOPPED]) == ("COMPLETE", reason)
    assert sum(key.startswith("candidate/") for key in trial.user_attrs) == 1
    assert loop.ledger.trials.stopped() == {2: reason}
    assert loop.ledger.trials.finished() == 3


def test_what_was_told_at_rungs_is_stored_with_the_trial(loop):
    loop.run(10)
    assert loop.ledger.study.trials[0].user_attrs[RUNGS] == {"step 10": None, "step 30": None}


def test_candidates_on_other_axes_take_no_training_and_are_never_stopped(loop):
    for loss in (10, 20, 30):
        loop.run(loss)
    number = loop.begin()
    for strength in (1, 2, 3):
        assert loop.stopping.reason(number, [scored(strength, 99) | {"axis": "alpha"}]) is None


def test_trials_of_one_method_are_compared_and_not_those_of_another():
    ledger = tiny_ledger(space=SEVERAL, about=ABOUT, sampler="random")
    methods = []
    for _ in range(30):
        number, params = ledger.ask()
        ledger.record(number, scored(10, number))
        methods.append(params["method"])
    rungs = Rungs(ledger.trials, ledger.facts)
    quick = [number for number, method in enumerate(methods) if method == "quick"]
    assert 0 < len(quick) < 30
    assert list(rungs.others(quick[0], "quick", 10)) == quick[1:]
    assert rungs.others(quick[0], "quick", 20) == {}


def test_only_the_newest_thousand_are_compared(monkeypatch):
    monkeypatch.setattr("lethe.search.rungs.MOST", 4)
    loop = Loop(tiny_ledger(about=ABOUT, sampler="random"))
    numbers = [loop.begin() for _ in range(7)]
    for number in numbers:
        loop.ledger.record(number, scored(10, number))
    assert list(Rungs(loop.ledger.trials, loop.ledger.facts).others(6, None, 10)) == [2, 3, 4, 5]
    assert MOST == 1000


def test_a_trial_that_failed_is_no_rival_and_one_that_was_interrupted_is(loop):
    numbers = [loop.begin() for _ in range(4)]
    rungs = Rungs(loop.ledger.trials, loop.ledger.facts)
    for number in numbers:
        loop.ledger.record(number, scored(10, number))
    assert list(rungs.others(3, None, 10)) == [0, 1, 2]
    loop.ledger.tell(0, "Diverged: loss is nan")
    loop.ledger.tell(1, "interrupted")
    for look in (rungs, Rungs(loop.ledger.trials, loop.ledger.facts)):
        assert list(look.others(3, None, 10)) == [1, 2]


def test_a_trial_that_was_interrupted_and_failed_when_it_ran_again_is_no_rival(loop):
    number = loop.begin()
    loop.report(number, 1, 10)
    loop.ledger.tell(number, INTERRUPTED)
    resumed = Loop(Ledger.resume(loop.ledger._storage, loop.ledger.study.study_name, SPACE))
    again = resumed.begin()
    resumed.report(again, 1, 10)
    resumed.ledger.tell(again, "Diverged")
    other = resumed.begin()
    assert Rungs(resumed.ledger.trials, resumed.ledger.facts).others(other, None, 10) == {}


def test_of_a_trial_s_runs_the_newest_counts_that_came_to_the_place():
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage, about=ABOUT, sampler="random")
    number, _ = ledger.ask()
    ledger.record(number, scored(10, 50))
    ledger.interrupt()
    again = Ledger.resume(storage, "tiny", SPACE)
    repeats, _ = again.ask()
    rungs = Rungs(again.trials, again.facts)
    assert [len(points) for points in rungs.others(9, None, 10).values()] == [1]
    for role in ("student", "teacher"):
        again.record(repeats, scored(10, 50 if role == "student" else 40, role=role))
    for look in (rungs, Rungs(again.trials, again.facts)):
        assert {first: len(points) for first, points in look.others(9, None, 10).items()} == {number: 2}


def test_another_driver_s_trials_count_while_they_run():
    storage = InMemoryStorage()
    ours = Loop(tiny_ledger(storage, about=ABOUT, sampler="random"))
    theirs = Loop(Ledger(storage, "tiny", SPACE))
    running = [theirs.begin(), theirs.begin()]
    number = ours.begin()
    assert [theirs.report(one, loss, 10) for one, loss in zip(running, (10, 20), strict=True)] == [None, None]
    assert ours.report(number, 30, 10).startswith("step 10: 2 of the 3 trials")


def test_a_trial_that_passed_a_rung_passes_it_again_whoever_came_there_meanwhile():
    storage = InMemoryStorage()
    loop = Loop(tiny_ledger(storage, about=ABOUT, sampler="random"))
    first = loop.begin()
    assert loop.report(first, 50, 10) is None
    for loss in (30, 20, 10):  # each of which is the best so far
        loop.run(loss)
    loop.ledger.interrupt()
    again = Loop(Ledger.resume(storage, "tiny", SPACE))
    number = again.begin()
    assert again.ledger.study.trials[number].user_attrs[RERUN_OF] == first
    assert again.report(number, 50, 10) is None  # though it would not pass now
    assert again.report(number, 50, 20) is None
    assert again.report(number, 50, 30).startswith("step 30: ")


def ends(storage):
    """Of each trial by the order in which they first ran: where and why it was stopped."""
    ledger = Ledger(storage, "tiny", SPACE)
    complete = [t for t in ledger.study.trials if t.state.name == "COMPLETE"]
    return {ledger.trials.first_run(t.number): t.user_attrs.get(STOPPED) for t in complete}


LOSSES = (40, 60, 20, 80, 10, 70, 15)


def search(storage, trials):
    """Go on with a study until it has so many trials; the loss of each goes by when it first ran."""
    loop = Loop(Ledger.resume(storage, "tiny", SPACE))
    while loop.ledger.trials.finished() < trials:
        number = loop.begin()
        loss = LOSSES[loop.ledger.trials.suggestion(number)]
        any(loop.report(number, loss, at) for at in (10, 20, 30, 60, 90))


@pytest.mark.slow
@given(st.integers(0, 250))
@settings(max_examples=25, deadline=None)
def test_a_driver_may_die_at_any_write_and_the_resumed_study_stops_the_same_trials(writes):
    whole, broken = InMemoryStorage(), BrittleStorage()
    for storage in (whole, broken):
        tiny_ledger(storage, about=ABOUT, sampler="random")
    search(whole, len(LOSSES))
    broken.writes_left = writes
    try:
        search(broken, len(LOSSES))
    except Killed:
        broken.writes_left = None
        search(broken, len(LOSSES))
    assert sum(reason is not None for reason in ends(whole).values()) == 3
    assert list(ends(broken).values()) == list(ends(whole).values())


def test_facts_come_back_from_the_store_with_the_rule():
    ledger = tiny_ledger(about=replace(Rule(), reduction=4).about())
    assert Rule.of(Ledger(ledger._storage, "tiny", SPACE).facts.about) == Rule(reduction=4)
