"""A store opens or says in one line why not, never shows a password, and gives a study back as a table of candidates."""

import json
import math
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage
from slow_candidates import read_candidates
from tiny_study import GUARD, OBJECTIVES, candidate, run_trial, tiny_facts, tiny_ledger

from lethe.fronts.objectives import Constraint
from lethe.store import optuna_tables
from lethe.store.facts import Facts, load_facts
from lethe.store.storage import open_storage
from lethe.store.urls import default_storage, hide_password, server_url


def test_sqlite_is_made_with_its_folder_and_writes_ahead(tmp_path):
    file = tmp_path / "new" / "folder" / "studies.db"
    open_storage(f"sqlite:///{file}")
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_the_names_of_the_studies_in_a_store(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    assert optuna.get_all_study_names(open_storage(url)) == []
    tiny_ledger(open_storage(url), name="b")
    tiny_ledger(open_storage(url), name="a")
    assert sorted(optuna.get_all_study_names(open_storage(url))) == ["a", "b"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "studies.db",
        "nosuch://u:Zq9@host/db",
        "sqlite:///",
        "sqlite:////proc/none/s.db",
        "postgresql://u:Zq9@host:port/db",
        "postgresql://u:Zq9@rest:Zq9@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=u&password=Zq9",
    ],
)
def test_a_store_that_cannot_be_opened_is_told_in_one_line_without_its_password(url):
    with pytest.raises(ValueError, match=r"cannot be opened \(.+\): give sqlite:///FILE or a PostgreSQL URL") as error:
        open_storage(url)
    assert repr(hide_password(url)) in str(error.value)
    assert "\n" not in str(error.value)
    assert "Zq9" not in str(error.value)


def test_a_file_that_is_no_database_and_one_in_the_place_of_the_folder_are_told(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be looked at" * 50)
    for url in (f"sqlite:///{file}", f"sqlite:///{file}/s.db"):
        with pytest.raises(ValueError, match="cannot be opened"):
            open_storage(url)


secrets = st.text(st.characters(codec="utf-8"), max_size=12).map(lambda text: f"Zq9{text}Zq9")
users = st.sampled_from(["", "u", "me@corp", "u.v-w", "%40"])


@given(password=secrets, user=users, escaped=st.booleans(), scheme=st.sampled_from(["postgresql", "mysql+pymysql"]))
def test_a_password_is_never_shown_escaped_or_not(password, user, escaped, scheme):
    written = quote(password, safe="") if escaped else password
    shown = hide_password(f"{scheme}://{user}:{written}@host:5432/db?sslmode=require")
    assert shown == f"{scheme}://{user}:***@host:5432/db?sslmode=require"


@given(password=secrets.filter(lambda text: "&" not in text))
def test_a_password_among_the_options_is_not_shown_either(password):
    assert "Zq9" not in hide_password(f"postgresql://host/db?user=u&password={password}&sslmode=require")


@pytest.mark.parametrize("url", ["sqlite:////home/me/s.db", "postgresql://host:5432/db", "postgresql://u@host/db"])
def test_a_url_without_a_password_is_shown_as_it_is(url):
    assert hide_password(url) == url


def test_facts_are_read_back_as_they_were_stored(tmp_path):
    facts = tiny_facts(references={"target": {"verbmem_f": [100.0, 99.0, 100.0]}}, about={"benchmark": "muse-mini"})
    assert Facts.from_json(facts.to_json()) == facts
    storage = open_storage(f"sqlite:///{tmp_path}/s.db")
    tiny_ledger(storage, references=facts.references, about=facts.about)
    assert load_facts(optuna.load_study(study_name="tiny", storage=storage)) == facts


def test_a_study_that_lethe_did_not_make_is_refused():
    with pytest.raises(ValueError, match="study 'foreign' was not made by Lethe"):
        load_facts(optuna.create_study(study_name="foreign"))


def test_a_point_has_its_trial_its_parameters_and_its_scores_with_their_intervals():
    ledger = tiny_ledger()
    number, params = ledger.ask()
    ledger.record(number, candidate(20, "teacher", "w20", verbmem_f=30))
    ledger.record(number, candidate(10, "student", "w10", verbmem_f=40, mia_ppl=7))
    ledger.tell(number)
    candidates = read_candidates(ledger.study, ledger.facts)
    names = [f"{s}{end}" for s in ("verbmem_f", "privleak", "knowmem_r", "utility") for end in ("", "_low", "_high")]
    known = {"trial", "state", "axis", "at", "role", *params, *names, "feasible", "front", "cost", "weights", "items"}
    assert set(candidates.columns) == known | {"mia_ppl", "mia_ppl_low", "mia_ppl_high"}
    first, second = candidates.to_dict("records")
    assert (first["trial"], first["state"], first["at"], first["role"]) == (0, "COMPLETE", 10, "student")
    assert (first["verbmem_f_low"], first["verbmem_f"], first["verbmem_f_high"]) == (38, 40, 42)
    assert {name: first[name] for name in params} == params
    assert (second["at"], second["weights"], second["items"]) == (20, "w20", "20-teacher.parquet")
    assert math.isnan(second["mia_ppl"])
    assert (first["front"], second["front"]) == (False, True)


def test_candidates_of_student_and_teacher_are_all_points_by_step():
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    for step in (1000, 5, 20):
        for role in ("teacher", "student"):
            ledger.record(number, candidate(step, role))
    ledger.tell(number)
    rows = read_candidates(ledger.study, ledger.facts)[["at", "role"]].to_numpy().tolist()
    assert rows == [[step, role] for step in (5, 20, 1000) for role in ("student", "teacher")]


def test_a_running_trial_s_points_appear_but_are_not_on_the_front():
    ledger = tiny_ledger()
    run_trial(ledger, verbmem_f=60)
    number, _ = ledger.ask()
    ledger.record(number, candidate(verbmem_f=1))
    candidates = read_candidates(ledger.study, ledger.facts)
    assert candidates[["state", "front"]].to_numpy().tolist() == [["COMPLETE", True], ["RUNNING", False]]
    ledger.tell(number)
    assert read_candidates(ledger.study, ledger.facts)["front"].tolist() == [False, True]


def test_an_infeasible_point_is_never_on_the_front():
    ledger = tiny_ledger()
    run_trial(ledger, verbmem_f=0, knowmem_r=100, utility=39.9)
    run_trial(ledger, verbmem_f=90, utility=40)
    candidates = read_candidates(ledger.study, ledger.facts)
    assert candidates[["feasible", "front"]].to_numpy().tolist() == [[False, False], [True, True]]


def test_failed_trials_and_points_without_a_finite_score_are_left_out():
    ledger = tiny_ledger()
    number, _ = ledger.ask()
    ledger.record(number, candidate(10))
    ledger.record(number, candidate(20, utility=math.nan))
    assert read_candidates(ledger.study, ledger.facts)["at"].tolist() == [10]  # it still runs
    ledger.tell(number)
    assert read_candidates(ledger.study, ledger.facts).empty


def test_a_study_without_a_point_is_an_empty_table():
    ledger = tiny_ledger(InMemoryStorage())
    assert len(read_candidates(ledger.study, ledger.facts)) == 0


@given(seed=st.integers(0, 50))
def test_the_front_is_that_of_the_feasible_points_of_complete_trials(seed):
    ledger, rng = tiny_ledger(sampler="random"), np.random.default_rng(seed)
    for i in range(6):
        number, _ = ledger.ask()
        for role in ("student", "teacher"):
            values = dict(zip(("verbmem_f", "privleak", "knowmem_r"), rng.integers(0, 4, 3), strict=True))
            ledger.record(number, candidate(10, role, **{k: float(v) for k, v in values.items()}, utility=38.0 + i))
        if i != 4:
            ledger.tell(number)
    candidates = read_candidates(ledger.study, ledger.facts)
    rows = [tuple(o.loss(row[o.score]) for o in OBJECTIVES) for _, row in candidates.iterrows()]
    allowed = ((candidates["utility"] >= GUARD[0].floor) & (candidates["state"] == "COMPLETE")).tolist()
    for i, own in enumerate(rows):
        rivals = [rows[j] for j in range(len(rows)) if allowed[j]]
        beaten = any(r != own and all(a <= b for a, b in zip(r, own, strict=True)) for r in rivals)
        assert candidates["front"][i] == (allowed[i] and not beaten)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_postgresql_url_is_taken_as_people_write_it(scheme):
    assert server_url(f"{scheme}://u:p@h/d") == "postgresql+psycopg://u:p@h/d"
    assert server_url("sqlite:///postgres://x") == "sqlite:///postgres://x"


SIGNS = "ab ?#%&=:@{}'\"+~;,|$é✓"
places = st.lists(st.text(SIGNS, min_size=1, max_size=12).filter(lambda t: t.strip(" ~")), min_size=1, max_size=2)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=places)
@example(parts=["what?"])
@example(parts=["100%41 {x} #1", "a&b=c?mode=ro"])
@example(parts=["password=x"])
def test_a_store_lies_in_the_folder_that_was_named_whatever_its_signs(parts, tmp_path):
    top = Path(tempfile.mkdtemp(dir=tmp_path))
    folder = top.joinpath(*parts)
    url = default_storage(str(folder))
    optuna.create_study(storage=open_storage(url), study_name="s")
    assert optuna_tables.study_names(url) == optuna.get_all_study_names(open_storage(url)) == ["s"]
    assert hide_password(url) == url  # as it is typed again
    assert {file.parent for file in top.rglob("*") if file.is_file()} == {folder}


def test_a_store_of_another_optuna_is_one_line_too(tmp_path):
    file = tmp_path / "s.db"
    open_storage(f"sqlite:///{file}").engine.dispose()
    with sqlite3.connect(file) as connection:
        connection.execute("update alembic_version set version_num = 'v2.6.0.a'")
    connection.close()
    with pytest.raises(ValueError, match=r"^storage '[^\n]*' cannot be opened \([^\n]*optuna version[^\n]*$"):
        open_storage(f"sqlite:///{file}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+pysqlite:///:memory:"])
def test_a_store_in_memory_is_refused_alike_by_who_writes_and_who_reads(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for reach in (open_storage, optuna_tables.connect):
        with pytest.raises(ValueError, match=r"cannot be opened \([^\n]+\): give sqlite:///FILE or a PostgreSQL URL$"):
            reach(url)
    assert list(tmp_path.iterdir()) == []


def test_options_behind_a_file_s_name_are_refused_alike_by_who_writes_and_who_reads(tmp_path):
    for reach in (open_storage, optuna_tables.connect):
        with pytest.raises(ValueError, match=r"s.db\?timeout=3' has options behind its question mark"):
            reach(f"sqlite:///{tmp_path}/s.db?timeout=3")
    assert list(tmp_path.iterdir()) == []


def test_constraints_are_stored_with_their_study_and_those_of_before_had_floors_alone():
    both = (*GUARD, Constraint.of("privleak", "zero", 10), Constraint(score="verbmem_f", ceiling=20))
    facts = tiny_facts(constraints=both)
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    before = facts.to_json() | {"constraints": [{"score": "utility", "floor": 40.0}]}
    assert Facts.from_json(before).constraints == GUARD
