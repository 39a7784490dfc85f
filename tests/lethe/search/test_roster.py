"""The trials that a roster counts as they end are those that a look at all of them finds."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from tiny_study import SPACE, candidate, tiny_ledger

from lethe.search.ledger import Ledger
from lethe.store.trials import REPEATS, RERUN_OF, is_interrupted

events = st.lists(
    st.tuples(st.sampled_from(["ask", "end", "fail", "resume", "queue", "repeat"]), st.integers(0, 3)), max_size=30
)


def first_of(trials, number):
    while RERUN_OF in trials[number].user_attrs:
        number = trials[number].user_attrs[RERUN_OF]
    return number


def suggestion_of(trials, number):
    return sum(not {RERUN_OF, REPEATS} & trial.user_attrs.keys() for trial in trials[: first_of(trials, number)])


def same(roster, study):
    """The roster's answers, beside those of one look at every trial."""
    trials = study.get_trials()
    whole = [t.number for t in trials if t.state.is_finished() and not is_interrupted(t)]
    busy = [t.number for t in trials if t.state == TrialState.RUNNING]
    repeats = [t.number for t in trials if REPEATS in t.user_attrs]
    ended, running = ([n for n in some if n not in repeats] for some in (whole, busy))
    assert [t.number for t in roster.repeats()] == repeats
    assert roster.finished() == len(ended)
    assert roster.claimed() == len(ended) + len(running)
    assert [t.number for t in roster.running()] == busy
    assert roster.ended() == {first_of(trials, number) for number in whole}
    for number in range(len(trials)):
        assert roster.first_run(number) == first_of(trials, number)
        if number not in repeats:
            assert roster.suggestion(number) == suggestion_of(trials, number)
    now = roster.tally()
    assert now.ended == {first_of(trials, number) for number in ended}
    assert now.running == tuple(first_of(trials, number) for number in running)
    assert now.waiting == sum(t.state == TrialState.WAITING for t in trials)
    assert now.failed == sum(trials[number].state == TrialState.FAIL for number in ended)
    assert now.costs.keys() == {first_of(trials, t.number) for t in trials}
    repeated = {t.user_attrs.get(RERUN_OF) for t in trials}
    assert [t.number for t in roster.unrepeated()] == [
        t.number for t in trials if is_interrupted(t) and t.number not in repeated
    ]


@settings(max_examples=40)
@given(events=events, looks=st.integers(1, 4))
def test_what_is_counted_as_trials_end_is_what_a_look_at_all_of_them_finds(events, looks):
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage, sampler="random")
    other, running = Ledger(storage, "tiny", SPACE).trials, []  # of another driver, who only looks
    for (what, which), turn in zip(events, itertools.count()):
        if what == "ask":
            running.append(ledger.ask()[0])
        elif what == "queue":
            ledger.queue({"lr": 0.1, "delta": 0.5}, {})
        elif what == "repeat":
            done = [t.number for t in ledger.study.trials if t.state == TrialState.COMPLETE]
            running += [ledger.repeat(done[which % len(done)], which)] if done else []
        elif what == "resume":
            ledger, running = Ledger.resume(storage, "tiny", SPACE), []
        elif running:
            number = running.pop(which % len(running))
            ledger.record(number, candidate())
            ledger.tell(number, "out of memory" if what == "fail" else None)
        if turn % looks == 0:
            same(ledger.trials, ledger.study)
    same(ledger.trials, ledger.study)
    same(other, ledger.study)
