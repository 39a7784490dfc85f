"""Rows become complete trials of a study; importing again adds only what is new, and what does not fit is told."""

import contextlib
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import check_distribution_compatibility
from tiny_study import BrittleStorage, Killed, tiny_ledger

from dashboard.table import grouped, recipes
from lethe.display.front_table import asked
from lethe.fronts.objectives import Objective
from lethe.imports.rows import Row
from lethe.imports.shapes import TAKEN, misfit, shaped, space_of, widened
from lethe.imports.study import bring
from lethe.search.space import distributions
from lethe.store.facts import IMPORTED, Facts
from lethe.store.parameters import own
from lethe.store.places import Place
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe.store.trials import SOURCE

FACTS = Facts(
    objectives=(Objective(score="verbmem_f", goal="minimize"), Objective(score="knowmem_r", goal="maximize")),
    constraints=(),
    sampler="",
    seed=0,
    about={"benchmark": "muse-news", IMPORTED: "csv"},
)


def row(run="a", at=1, line=2, lr=0.1, optimizer="sgd", facts=None, **scores):
    return Row(
        file="t.csv",
        line=line,
        run=run,
        parameters={"lr": lr, "optimizer": optimizer},
        place=Place("epoch", at, "student"),
        scores={"verbmem_f": 40.0, "knowmem_r": 50.0} | scores,
        facts={"protocol": "muse"} | (facts or {}),
    )


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/studies.db"


def brought(url, *rows, hints=None):
    return bring(open_storage(url), "theirs", rows, FACTS, hints or {})


def reasons(found):
    return [str(oddity) for oddity in found.oddities]


def test_a_run_is_a_trial_with_its_candidates_its_parameters_and_where_it_is_from(url):
    found = brought(url, row(at=2, line=3, verbmem_f=20.0), row(at=1), row("b", lr=1, optimizer="adamw"))
    assert (found.runs, found.candidates, found.known, found.oddities) == (2, 3, 0, [])
    study = Reader(url, "theirs").read()
    table = study.candidates
    assert table[["trial", "axis", "at", "role", "lr", "optimizer", "verbmem_f", "front"]].values.tolist() == [
        [0, "epoch", 1, "student", 0.1, "sgd", 40.0, False],
        [0, "epoch", 2, "student", 0.1, "sgd", 20.0, True],
        [1, "epoch", 1, "student", 1.0, "adamw", 40.0, False],
    ]
    (trial, _) = optuna.load_study(study_name="theirs", storage=url).trials
    lines = {"epoch/1/student": 2, "epoch/2/student": 3}
    assert trial.user_attrs[SOURCE] == {"protocol": "muse", "file": "t.csv", "run": "a", "lines": lines}
    assert trial.values == [20.0, 50.0]


def test_a_score_without_an_interval_is_a_value_whose_bounds_are_not_known(url):
    brought(url, row())
    table = Reader(url, "theirs").read().candidates
    assert np.isnan(table[["verbmem_f_low", "verbmem_f_high"]].to_numpy(float)).all()


def test_importing_again_adds_only_what_is_new(url):
    brought(url, row(), row("b"))
    again = brought(url, row(), row("b"), row("b", at=2), row("c", lr=5.0))
    assert (again.runs, again.candidates, again.known) == (2, 2, 2)
    assert len(Reader(url, "theirs").read().candidates) == 4
    assert brought(url, row("c", lr=5.0)).known == 1


def test_what_says_otherwise_of_a_known_candidate_is_odd_and_rounding_is_not(url):
    brought(url, row(verbmem_f=40.00004))
    found = brought(url, row(verbmem_f=40.0), row(line=9, verbmem_f=41.0))
    assert found.known == 1
    assert reasons(found) == ["t.csv:9: epoch 1, student of a is known with verbmem_f 40, not 41"]


def test_a_score_that_a_known_candidate_did_not_have_is_odd_and_fewer_scores_are_not(url):
    brought(url, row(privleak=3.0), row("b"))
    found = brought(url, row(), row("b", privleak=1.0, utility=40.0))
    assert (found.candidates, found.known) == (0, 1)
    assert reasons(found) == [
        "t.csv:2: epoch 1, student of b is known without privleak, utility: import all of it anew, under another --name"
    ]


def test_runs_that_two_files_call_the_same_are_two_where_their_scores_differ(url):
    def of(folder, *scores):
        return [replace(row(at=at, verbmem_f=v), file=f"{folder}/seed_1.out") for at, v in enumerate(scores)]

    rows = [*of("news", 60.0, 40.0), *of("books", 60.0, 10.0, 5.0), *of("copy", 60.0, 40.00001)]
    found = brought(url, *rows)
    assert (found.runs, found.candidates, found.known, found.oddities) == (2, 5, 2, [])
    again = brought(url, *rows)
    assert (again.candidates, again.known, again.oddities) == (0, 7, [])
    runs = [trial.user_attrs[SOURCE]["run"] for trial in optuna.load_study(study_name="theirs", storage=url).trials]
    assert runs == ["a", "a of books/seed_1.out"]


def test_rows_of_another_benchmark_without_an_objective_or_with_a_new_word_are_odd(url):
    first = brought(url, row(line=1), row("x", facts={"benchmark": "muse-books"}), row("y", line=3, verbmem_f=np.inf))
    assert reasons(first) == [
        "t.csv:2: it is of muse-books, and the study of muse-news: import it into a study of its own",
        "t.csv:3: score 'verbmem_f' is inf",
    ]
    second = brought(url, row("z", optimizer="adamw"), row("w", lr="high"), row("v", lr=-1.0))
    assert reasons(second) == [
        "t.csv:2: its optimizer is 'adamw', and the study has sgd: import all of it at once, under a new --name",
        "t.csv:2: its lr is 'high': it must be a number above 0",
        "t.csv:2: its lr is -1.0: it must be a number above 0",
    ]
    assert len(Reader(url, "theirs").read().candidates) == 1


def test_a_word_that_a_setting_may_have_fits_later_too(url):
    brought(url, row(), hints={"optimizer": ("choice", ("sgd", "adamw")), "unheard": ("integer",)})
    assert brought(url, row("b", optimizer="adamw")).oddities == []
    assert Reader(url, "theirs").read().facts.about["space"]["optimizer"] == ["choice", ["sgd", "adamw"]]


def test_a_study_that_was_searched_is_left_alone(url):
    tiny_ledger(open_storage(url), "theirs")
    with pytest.raises(ValueError, match="^study 'theirs' is no imported one: import into a study of its own"):
        brought(url, row())


def test_parameters_called_as_columns_of_a_study_s_tables_get_a_line_behind_their_name(url):
    odd = {"start": "warm", "cost": 3, "verbmem_f": 1.0, "items": 7, "number": 5}
    brought(url, replace(row(), parameters=odd))
    table = Reader(url, "theirs").read()
    assert table.parameters == ["start_", "cost_", "verbmem_f_", "items_", "number_"]
    assert table.candidates[["start_", "cost_", "verbmem_f", "verbmem_f_"]].values.tolist() == [["warm", 3, 40.0, 1.0]]


def test_parameters_with_dots_in_their_names_are_a_run_s_own_all_the_same(url):
    dotted = {"optimizer.lr": 0.1, "optimizer_lr": 0.2, "sched.warm.up": 3}
    brought(url, replace(row(), parameters=dotted))
    study = Reader(url, "theirs").read()
    (trial,) = optuna.load_study(study_name="theirs", storage=url).trials
    names = {"optimizer_lr": 0.1, "optimizer_lr_": 0.2, "sched_warm_up": 3}
    assert own(trial.params) == asked(study.candidates.iloc[0].to_dict(), study.parameters) == names


def test_a_setting_behind_its_row_s_own_method_stays_that_method_s(url):
    first, second = ({"method": "npo", "npo.lr": 0.1, "npo.a.b": 2, "ga.lr": 0.5}, {"method": "ga", "ga.lr": 0.2})
    brought(url, replace(row("a"), parameters=first), replace(row("b"), parameters=second))
    trials = optuna.load_study(study_name="theirs", storage=url).trials
    assert [trial.params for trial in trials] == [
        {"method": "npo", "npo.lr": 0.1, "npo.a_b": 2, "ga_lr": 0.5},
        {"method": "ga", "ga.lr": 0.2},
    ]
    assert [own(trial.params) for trial in trials] == [{"lr": 0.1, "a_b": 2, "ga_lr": 0.5}, {"lr": 0.2}]


def test_no_column_of_the_tables_that_a_study_is_read_or_shown_as_is_left_out_of_these(url):
    brought(url, row())
    study = Reader(url, "theirs").read()
    shown = grouped(study.candidates, study.facts.objectives, study.facts)
    own = {
        *study.parameters,
        *(f"{score}{end}" for score in ("verbmem_f", "knowmem_r") for end in ("", "_low", "_high")),
    }
    assert (set(shown.columns) | set(study.trials.columns)) - own <= TAKEN


def test_a_parameter_that_a_run_does_not_have_is_none_of_its_recipe(url):
    brought(url, row(), replace(row("b", line=3), parameters={"lr": 0.5, "optimizer": "adamw", "momentum": 0.9}))
    study = Reader(url, "theirs").read()
    assert recipes(study.candidates, study.parameters) == [
        "lr 0.1, optimizer sgd",
        "lr 0.5, optimizer adamw, momentum 0.9",
    ]
    assert asked(study.candidates.iloc[0].to_dict(), study.parameters) == {
        "lr": 0.1,
        "optimizer": "sgd",
    }


def test_a_run_whose_recipe_nobody_knows_has_no_parameters(url):
    brought(url, replace(row(), parameters={}))
    assert Reader(url, "theirs").read().candidates["verbmem_f"].tolist() == [40.0]
    assert brought(url, replace(row("b"), parameters={})).runs == 1


def test_nothing_new_begins_no_study(url):
    assert brought(url, row(verbmem_f=np.nan)).candidates == 0
    assert optuna.get_all_study_names(open_storage(url)) == []


def test_the_shape_of_a_parameter_follows_from_its_values_or_is_known():
    many = [{"a": 0.1, "b": 1, "c": 0, "d": "x", "e": True}, {"a": 3, "b": 4, "c": 0.5, "d": 2}]
    space = {
        **{"a": ("log_uniform", 0.1, 3), "b": ("integer", 1, 4), "c": ("uniform", 0, 0.5)},
        **{"d": ("choice", ("x", 2)), "e": ("choice", (True,))},
    }
    assert space_of(many, {}) == space
    assert space_of(many, {"b": ("uniform",)})["b"] == ("uniform", 1, 4)
    assert widened(space, [{"a": 9.0, "f": 7}]) == space | {"a": ("log_uniform", 0.1, 9.0), "f": ("integer", 7, 7)}


values = st.one_of(
    st.integers(-5, 9), st.floats(-1e3, 1e3, allow_nan=False), st.sampled_from(["x", "y"]), st.booleans()
)
runs = st.lists(st.dictionaries(st.sampled_from("abc"), values, min_size=1), min_size=1, max_size=6)


@given(runs, runs)
def test_a_space_holds_every_value_it_was_made_of_and_every_later_one_that_is_no_misfit(first, later):
    space = space_of(first, {})
    fitting = [parameters for parameters in later if not misfit(parameters, space)]
    wider = widened(space, fitting)
    shapes = distributions(wider)
    for parameters in [*first, *fitting]:
        for name, value in shaped(parameters, wider).items():
            assert shapes[name]._contains(shapes[name].to_internal_repr(value))
    for name, shape in distributions(space).items():
        check_distribution_compatibility(shape, shapes[name])


@pytest.mark.parametrize("writes", range(3, 7))
def test_an_import_that_is_killed_is_completed_by_the_next_one(writes):
    storage = BrittleStorage()
    rows = [row(name, at=at) for name in "abc" for at in (1, 2)]
    storage.writes_left = writes
    with contextlib.suppress(Killed):
        bring(storage, "theirs", rows, FACTS, {})
    storage.writes_left = None
    bring(storage, "theirs", rows, FACTS, {})
    trials = optuna.load_study(study_name="theirs", storage=storage).trials
    assert [(t.user_attrs[SOURCE]["run"], len(t.user_attrs[SOURCE]["lines"])) for t in trials] == [
        ("a", 2),
        ("b", 2),
        ("c", 2),
    ]


def test_a_misfit_is_named():
    hints = {"lr": ("log_uniform",), "layer": ("integer",), "kind": ("choice", ("a",))}
    assert misfit({"lr": 1, "layer": 2.0, "kind": "a", "new": "?"}, hints) == ""
    assert misfit({"layer": 2.5}, hints) == "its layer is 2.5: it must be a whole number"
    assert misfit({"layer": True}, hints) == "its layer is True: it must be a whole number"
    assert misfit({"kind": "b"}, hints, grows=True) == ""
