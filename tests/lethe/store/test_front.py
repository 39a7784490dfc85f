"""The front that is kept while a study grows is the front of all its complete trials, read through Optuna."""

import itertools

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_candidates import read_candidates
from sqlalchemy import event
from tiny_study import candidate, run_trial, tables_in_memory, tiny_ledger

from lethe.store.front import Front

TABLES, NUMBERS = tables_in_memory(), itertools.count()


def new_study():
    """A study of its own in the tables of this file."""
    return tiny_ledger(TABLES, f"study {next(NUMBERS)}", sampler="random")


def front_of(ledger):
    return Front(TABLES.engine, ledger.study.study_name, ledger.facts)


def same(found, ledger):
    """The front found is that of a look at every candidate of every trial."""
    candidates = read_candidates(ledger.study, ledger.facts)
    expected = candidates[candidates["front"]] if len(candidates) else candidates
    assert len(found) == len(expected)
    if len(found):
        found, expected = (table.reset_index(drop=True) for table in (found, expected))
        pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False)


values = st.fixed_dictionaries(
    {
        "verbmem_f": st.integers(0, 4).map(float),
        "privleak": st.integers(-3, 3).map(float),
        "utility": st.sampled_from([30.0, 50.0, 50.0, float("nan")]),
    }
)
events = st.lists(
    st.one_of(
        st.just(("start",)),
        st.tuples(st.just("score"), st.integers(0, 3), values, st.sampled_from(["student", "teacher"])),
        st.tuples(st.just("score"), st.integers(0, 3), values, st.sampled_from(["student", "teacher"])),
        st.tuples(st.just("end"), st.integers(0, 3), st.sampled_from([None, None, "out of memory"])),
        st.just(("look",)),
    ),
    max_size=30,
)


@settings(max_examples=20)
@given(events=events)
def test_the_front_that_is_kept_is_the_front_of_all_trials_whatever_ends_when(events):
    ledger, running = new_study(), []
    front = front_of(ledger)
    for step, (what, *arguments) in enumerate(events):
        if what == "start":
            running.append(ledger.ask()[0])
        elif what == "look":
            same(front.read(), ledger)
        elif running and what == "score":
            which, scores, role = arguments
            ledger.record(running[which % len(running)], candidate(step, role, **scores))
        elif running:
            which, failure = arguments
            ledger.tell(running.pop(which % len(running)), failure)
    same(front.read(), ledger)
    same(front_of(ledger).read(), ledger)


def test_a_trial_taken_over_and_one_of_another_driver_come_onto_the_front_too():
    ledger = new_study()
    front = front_of(ledger)
    run_trial(ledger, verbmem_f=60)
    assert front.read()["trial"].tolist() == [0]
    ledger.take_over({"lr": 0.1, "delta": 0.5}, [candidate(10, weights="w", verbmem_f=30)], {})
    assert front.read()["weights"].tolist() == ["w"]


def test_once_read_a_trial_is_asked_for_no_more():
    ledger = new_study()
    front = front_of(ledger)
    for verbmem in (60, 50, 40):
        run_trial(ledger, verbmem_f=verbmem)
    front.read()
    asked = []
    listener = lambda *call: asked.append(call[2:4])  # noqa: E731
    event.listen(TABLES.engine, "before_cursor_execute", listener)
    try:
        front.read()
        assert not any("trial_user_attributes" in query for query, _ in asked)
        run_trial(ledger, verbmem_f=30)
        asked.clear()
        assert front.read()["trial"].tolist() == [3]
    finally:
        event.remove(TABLES.engine, "before_cursor_execute", listener)
    ids = [tuple(arguments) for query, arguments in asked if "trial_user_attributes" in query]
    assert len(ids) == 1
    assert len(ids[0]) == 1
