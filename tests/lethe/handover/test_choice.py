"""Which candidate somebody names: by trial and place, by its trial alone, and what is said of one that is not there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_study import candidate, tiny_facts, tiny_ledger

from dashboard.table import candidate_of
from lethe.analysis.judgement import judge
from lethe.fronts.objectives import SEEN
from lethe.handover.choice import name_of, parse, row_of
from lethe.store.places import Place
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Trial 0 with four candidates, the best in the middle; trial 1 failed; trial 2 breaks the guard everywhere."""
    url = f"sqlite:///{tmp_path_factory.mktemp('choice')}/studies.db"
    ledger = tiny_ledger(open_storage(url))
    trials = [
        [candidate(10, verbmem_f=90), candidate(10, "teacher", verbmem_f=95), candidate(20, verbmem_f=30)],
        [],
        [candidate(10, utility=10.0), candidate(20, utility=35.0), candidate(30, utility=20.0)],
    ]
    for own in trials:
        number, _ = ledger.ask()
        for values in own:
            ledger.record(number, values)
        ledger.tell(number, None if own else "CUDA out of memory")
    return Reader(url, "tiny").read()


def at(study, text):
    row = study.candidates.iloc[row_of(study, *parse(text))]
    return int(row["trial"]), Place.of(row).key


def test_a_place_names_one_candidate_however_its_number_is_written(study):
    assert at(study, "0@step/10/teacher") == (0, "step/10/teacher")
    assert at(study, "0@20.0/student") == (0, "step/20/student")


def test_a_candidate_is_named_as_the_dashboard_s_link_names_it_too(study):
    row = study.candidates.iloc[1]
    assert at(study, candidate_of(row).key) == (int(row["trial"]), Place.of(row).key)
    assert parse("12/step/40/student") == parse("12@step/40/student") == (12, Place("step", 40, "student"))


def test_a_trial_alone_is_its_candidate_that_the_ledger_chose(study):
    assert at(study, "0") == (0, "step/20/student")
    assert at(study, "2") == (2, "step/20/student")  # none is feasible: the one that breaks the guard least
    made = [candidate(step=s, utility=u) for s, u in ((10, 10.0), (20, 35.0), (30, 20.0))]
    assert judge(made, tiny_facts()).representative == "step/20/student"


BAD = {
    "7": r"^study 'tiny' has no trial 7 \(there: 0 to 2\)$",
    "1": r"^trial 1 of study 'tiny' has no scored candidate \(state FAIL: CUDA out of memory\)$",
    "0@step/19/teacher": r"^trial 0 has no candidate at step/19/teacher: the nearest are step/20/student, step/10/teacher,",
    "0/step": "^'0/step' names no candidate",
    "0/": "^'0/' names no candidate",
    "0@": "^'0@' names no candidate: give TRIAL@AXIS/AT/ROLE",
    "best": "^'best' names no candidate: give TRIAL@AXIS/AT/ROLE, as 12@step/40/student, TRIAL, or recommended$",
    "0@step/ten/student": "names no candidate",
}


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=BAD)
def test_what_is_not_there_is_told_in_one_line(study, text, message):
    with pytest.raises(ValueError, match=message):
        row_of(study, *parse(text))


@given(st.integers(0, 10**6), st.floats(0, 1e6) | st.integers(0, 1000), st.sampled_from(["step", "alpha", "mix"]))
def test_a_name_is_read_as_it_was_written(trial, where, axis):
    place = Place(axis, where, "student")
    assert parse(name_of(trial, place)) == (trial, place)


def test_where_items_are_split_a_trial_stands_by_those_that_choose(study):
    row = study.candidates.index[study.candidates["at"] == 10][0]
    seen = study.candidates.assign(**{f"verbmem_f{SEEN}": 80.0, f"utility{SEEN}": study.candidates["utility"]})
    seen.loc[row, f"verbmem_f{SEEN}"] = 1.0
    assert row_of(study, 0, None) != row
    assert row_of(replace(study, candidates=seen), 0, None) == row
    seen.loc[row, f"utility{SEEN}"] = 0.0  # infeasible by these items alone
    assert row_of(replace(study, candidates=seen), 0, None) != row
