"""A study read at once is the same as read through Optuna, is read again cheaply, and bad stores are told in a sentence."""

import math
import sqlite3

import numpy as np
import optuna
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_candidates import read_candidates
from tiny_study import SPACE, candidate, made_up, run_trial, tiny_ledger

from lethe.fronts.objectives import chosen_by
from lethe.search.ledger import Ledger
from lethe.store import optuna_tables
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe.store.trials import write_note


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/studies.db"


def same(reader: Reader, ledger) -> None:
    """The snapshot's candidates are those that the store reads through Optuna."""
    expected = read_candidates(ledger.study, ledger.facts)
    found = reader.read().candidates
    assert set(found.columns) == set(expected.columns)
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False)


def test_the_points_are_those_that_are_read_through_optuna(url):
    ledger = tiny_ledger(open_storage(url))
    for _ in range(4):
        number, params = ledger.ask()
        ledger.record(number, candidate(10, "teacher", "w", **made_up(params)))
        ledger.record(number, candidate(5, "student", None, **made_up(params), mia_ppl=number))
        ledger.tell(number, "broke" if number == 2 else None)
    running, _ = ledger.ask()
    ledger.record(running, candidate(10))
    reader = Reader(url, "tiny")
    same(reader, ledger)
    trials = reader.read().trials
    assert trials["state"].tolist() == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE", "RUNNING"]
    assert trials["failure"][2] == "broke"
    assert trials["values"][0] == ledger.study.trials[0].values
    assert {name: trials[name][1] for name in SPACE} == ledger.study.trials[1].params


def test_scores_are_of_the_items_that_report_and_what_is_on_the_front_is_by_those_that_choose(url):
    ledger = tiny_ledger(open_storage(url))
    for seen, reported in (({"verbmem_f": 10}, 30), ({"verbmem_f": 20}, 5), ({"verbmem_f": 1, "utility": 0}, 50)):
        number, _ = ledger.ask()
        own = {"verbmem_f": [reported, reported - 1, reported + 1], "utility": [90, 80, 95]}
        ledger.record(number, {**candidate(10, **seen), "reported": own})
        ledger.tell(number)
    reader = Reader(url, "tiny")
    same(reader, ledger)
    found = reader.read().candidates
    assert found["verbmem_f"].tolist() == [30, 5, 50]
    assert chosen_by(found, "verbmem_f").tolist() == [10, 20, 1]
    assert found["privleak"].tolist() == [0, 0, 0]
    assert found["feasible"].tolist() == [True, True, False]
    assert found["front"].tolist() == [True, False, False]
    assert ledger.study.trials[0].values[0] == 10
    assert ledger.front()["trial"].tolist() == [0]


def test_a_candidate_whose_reported_scores_are_broken_is_counted_and_left_out(url):
    ledger = tiny_ledger(open_storage(url))
    for reported in ({"verbmem_f": [1, 0, 2]}, {"verbmem_f": "half a"}):
        number, _ = ledger.ask()
        ledger.record(number, {**candidate(10), "reported": reported})
        ledger.tell(number)
    found = Reader(url, "tiny").read()
    assert (len(found.candidates), found.unreadable) == (1, 1)


def test_a_reason_is_a_text_or_none_and_a_trial_whose_driver_died_before_its_end_was_not_stopped(url):
    ledger = tiny_ledger(open_storage(url))
    numbers = [ledger.ask()[0] for _ in range(3)]
    ledger.record(0, candidate())
    ledger.stop(0, "step 20: stuck")
    ledger.stop(1, "step 20: stuck")
    ledger.record(2, candidate())
    for number, failure in zip(numbers, (None, "interrupted", None), strict=True):
        ledger.tell(number, failure)
    trials = Reader(url, "tiny").read().trials
    assert trials["stopped"].tolist() == ["step 20: stuck", None, None]
    assert trials["failure"].tolist() == [None, "interrupted", None]


def test_the_same_object_until_something_changes_and_then_only_what_changed(url):
    ledger = tiny_ledger(open_storage(url))
    run_trial(ledger, verbmem_f=40)
    reader = Reader(url, "tiny")
    first = reader.read()
    assert reader.read() is first
    number, _ = ledger.ask()
    ledger.record(number, candidate(10, verbmem_f=30))
    same(reader, ledger)
    ledger.record(number, candidate(20, verbmem_f=20))
    same(reader, ledger)
    ledger.tell(number)
    same(reader, ledger)
    write_note(url, "tiny", 1, "look here")
    assert reader.read().notes == {1: "look here"}


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reading_while_a_study_grows_never_differs_from_reading_it_whole(tmp_path, seed):
    url, rng = f"sqlite:///{tmp_path}/{seed}.db", np.random.default_rng(seed)
    (tmp_path / f"{seed}.db").unlink(missing_ok=True)
    ledger = tiny_ledger(open_storage(url), sampler="random")
    reader, running = Reader(url, "tiny"), []
    for _ in range(12):
        if not running or rng.random() < 0.4:
            running.append(ledger.ask()[0])
        number = running[rng.integers(len(running))]
        ledger.record(number, candidate(int(rng.integers(1, 50)), verbmem_f=float(rng.integers(100))))
        if rng.random() < 0.4:
            running.remove(number)
            ledger.tell(number, "bad luck" if rng.random() < 0.3 else None)
        if rng.random() < 0.5:
            same(reader, ledger)
    same(reader, ledger)
    same(Reader(url, "tiny"), ledger)


def test_categories_and_whole_numbers_come_back_as_they_were(url):
    space = {"loss": ("choice", ("nlul", "npo")), "steps": ("integer", 1, 9)}
    facts = tiny_ledger().facts
    ledger = snapshot_ledger(url, facts, space)
    number, params = ledger.ask()
    ledger.record(number, candidate())
    ledger.tell(number)
    found = Reader(url, "tiny").read()
    assert {name: found.candidates[name][0] for name in space} == params
    assert set(found.parameters) == set(space)


def snapshot_ledger(url, facts, space):
    """A study over another space."""
    return Ledger.create(open_storage(url), "tiny", facts, space)


def test_scores_that_are_missing_or_not_finite_are_left_out_and_broken_text_is_counted(url):
    ledger = tiny_ledger(open_storage(url))
    number, _ = ledger.ask()
    ledger.record(number, candidate(10))
    ledger.record(number, candidate(20, utility=math.nan))
    same(Reader(url, "tiny"), ledger)
    half = {"scores": {"verbmem_f": "high"}}
    ledger._asked[number].set_user_attr("candidate/000030/student", half)
    found = Reader(url, "tiny").read()
    assert (found.candidates["at"].tolist(), found.unreadable) == ([10], 1)


def test_a_study_without_trials_and_one_without_points_are_empty_tables(url):
    ledger = tiny_ledger(open_storage(url))
    assert Reader(url, "tiny").read().candidates.empty
    ledger.ask()
    found = Reader(url, "tiny").read()
    assert (len(found.candidates), len(found.trials)) == (0, 1)


def broken(tmp_path, what: str) -> str:
    """A store with something wrong."""
    file = tmp_path / "s.db"
    url = f"sqlite:///{file}"
    if what == "missing":
        return url
    if what == "empty":
        file.touch()
    elif what == "text":
        file.write_text("these are notes, not a database\n" * 100)
    elif what == "truncated":
        run_trial(tiny_ledger(open_storage(url)))
        sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
        file.write_bytes(file.read_bytes()[:8000])
    elif what == "version":
        tiny_ledger(open_storage(url))
        change(file, "update version_info set schema_version = 99, library_version = '9.9.9'")
    elif what == "facts":
        tiny_ledger(open_storage(url))
        change(file, """update study_user_attributes set value_json = '{"objectives": 7' where "key" = 'lethe'""")
    elif what == "foreign":
        optuna.create_study(storage=open_storage(url), study_name="tiny")
    elif what == "tables":
        tiny_ledger(open_storage(url))
        change(file, "drop table trial_values")
    return url


def change(file, statement: str) -> None:
    """Change a store behind Optuna's back."""
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing", "there is no store"),
        ("empty", "empty, half-written, or of another version"),
        ("text", "is not a study store"),
        ("truncated", "is not a study store, or a broken one|half-written"),
        ("version", "was made by Optuna 9.9.9"),
        ("facts", "half-written, or was made by another version of Lethe"),
        ("foreign", "was not made by Lethe"),
        ("tables", "half-written, or of another version"),
    ],
)
def test_a_bad_store_is_told_in_one_sentence(tmp_path, what, says):
    url = broken(tmp_path, what)
    with pytest.raises(ValueError, match=says) as error:
        Reader(url, "tiny").read()
    assert "\n" not in str(error.value)


def test_a_locked_store_says_so(url, monkeypatch):
    monkeypatch.setattr(optuna_tables, "PATIENCE", 0)
    run_trial(tiny_ledger(open_storage(url)))
    copy = url.replace("studies.db", "copy.db")  # without write-ahead logging, where a writer locks readers out
    change(url.removeprefix("sqlite:///"), f"VACUUM INTO '{copy.removeprefix('sqlite:///')}'")
    holder = sqlite3.connect(copy.removeprefix("sqlite:///"))
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ValueError, match="is locked by another program"):
        optuna_tables.study_names(copy)
    holder.close()


def test_reading_neither_makes_nor_changes_anything(tmp_path, url):
    with pytest.raises(ValueError, match="there is no store"):
        optuna_tables.study_names(url)
    assert list(tmp_path.iterdir()) == []
    run_trial(tiny_ledger(open_storage(url)))
    engine = optuna_tables.connect(url)
    with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("delete from trials")


@pytest.mark.parametrize("url", ["postgresql://u:Zq9@127.0.0.1:1/db", "nosuch://u:Zq9@host/db"])
def test_a_database_that_is_not_there_is_told_without_its_password(url):
    with pytest.raises(ValueError, match="://u:[*]{3}@") as error:
        optuna_tables.study_names(url)
    assert "Zq9" not in str(error.value)


def test_notes_are_written_over_and_limited(url):
    run_trial(tiny_ledger(open_storage(url)))
    write_note(url, "tiny", 0, "first <b>")
    write_note(url, "tiny", 0, "second")
    assert Reader(url, "tiny").read().notes == {0: "second"}
    with pytest.raises(ValueError, match="10001 characters: 10000 at most"):
        write_note(url, "tiny", 0, "x" * 10_001)
    with pytest.raises(ValueError, match="cannot be stored"):
        write_note(url, "nobody", 0, "x")


def test_a_note_can_be_written_to_a_trial_that_has_ended(url):
    ledger = tiny_ledger(open_storage(url))
    write_note(url, "tiny", run_trial(ledger), "ok")
    assert ledger.study.user_attrs["note/0"] == "ok"
