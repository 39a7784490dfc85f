"""A study over several methods is looked at: of each trial its method and the settings of that one, and no others."""

import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from test_dashboard import APP, PAGES
from tiny_dashboard import make_study
from tiny_study import OBJECTIVES, SEVERAL, candidate, made_up, tables_in_memory, tiny_ledger

from dashboard import table
from dashboard.charts import fronts, fronts_3d, landscape, many_axes, marks
from dashboard.data import importances_of
from dashboard.reports import decision
from lethe.analysis import recipes
from lethe.analysis.decide import recommend
from lethe.store.snapshot import Reader
from lethe.store.urls import VARIABLE

SETTINGS = {"quick": {"steps": 30}, "slow": {"steps": 90, "seed": 1}}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A study on disk, for the pages."""
    folder = tmp_path_factory.mktemp("several")
    return make_study(folder, trials=12, space=SEVERAL, method="quick,slow", settings=SETTINGS)


@pytest.fixture(scope="module")
def study(url):
    return Reader(url, "tiny").read()


@pytest.fixture(scope="module")
def many():
    """A study of many trials with a candidate each, without files."""
    ledger = tiny_ledger(tables_in_memory(), space=SEVERAL, sampler="random", about={"space": SEVERAL})
    for _ in range(90):
        number, params = ledger.ask()
        ledger.record(number, candidate(**made_up(params)))
        ledger.tell(number)
    return ledger.read()


def grouped(study):
    return table.grouped(study.candidates, study.facts.objectives, study.facts)


def row_of(study, method):
    rows = study.candidates[study.candidates["method"] == method]
    return rows.iloc[0]


def test_every_page_opens_and_a_trial_shows_what_it_has(url, study, monkeypatch):
    monkeypatch.setenv(VARIABLE, url)
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(APP), default_timeout=180).run()
    for page in PAGES:
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception[0].value
    app.query_params["candidate"] = table.candidate_of(row_of(study, "slow")).key
    app.switch_page("views/trial.py").run()
    assert [metric.label for metric in app.metric][2:] == ["method", "lr", "layer", "kind"]
    app.switch_page("views/hyperparameters.py").run()
    next(box for box in app.selectbox if box.label == "method").set_value("slow").run()
    assert not app.exception
    names = next(box for box in app.selectbox if box.label == "parameter").options
    assert names == ["method", "slow.lr", "slow.layer", "slow.kind"]


def test_the_command_of_a_trial_has_its_method_and_that_one_s_settings(study):
    row = row_of(study, "slow")
    words = table.command(study, row)
    assert words[words.index("--method") + 1] == "slow"
    settings = dict(word.split("=") for word in words if "=" in word)
    assert settings == {
        "lr": str(row["slow.lr"]),
        "layer": str(int(row["slow.layer"])),
        "kind": str(row["slow.kind"]),
        "steps": "10",
        "seed": "1",
    }


def test_a_recipe_is_the_method_and_its_settings(many):
    for method, names in (("quick", ["lr", "delta"]), ("slow", ["lr", "layer", "kind"])):
        told = table.recipe(row_of(many, method), many.parameters)
        assert [part.split()[0] for part in told.split(", ")] == [method, *names]
        assert told in table.recipes(many.candidates, many.parameters)


def test_the_reports_have_the_parameters_of_the_trial_alone(study):
    found = recommend(study.candidates, OBJECTIVES, study.facts.constraints)
    method = study.candidates.iloc[found.row]["method"]
    told = json.loads(decision.as_json(study, found, [], recipes.repeated(study)))
    assert {name.partition(".")[0] for name in told["parameters"]} == {"method", method}
    page = decision.as_html(study, found, OBJECTIVES, [], recipes.repeated(study), [])
    assert f"<td>method</td><td>{method}</td>" in page
    assert f"<td>steps</td><td>{SETTINGS[method]['steps']}</td>" in page


def test_colours_tell_methods_apart_and_shapes_the_groups(many):
    drawn = grouped(many)
    beside = fronts.Beside(by_method=True, parameters=many.parameters)
    for figure in (
        fronts.front_2d(drawn, "verbmem_f", "knowmem_r", many.facts.cards, beside),
        fronts_3d.front_3d(drawn, ["verbmem_f", "knowmem_r", "privleak"], many.facts.cards, beside),
        many_axes.scatter_matrix(drawn, ["verbmem_f", "knowmem_r"], many.facts.cards, by_method=True),
    ):
        named = {t.name: t.marker for t in figure.data if t.name and ": " in t.name}
        colours = {name.partition(":")[0]: marker.color for name, marker in named.items()}
        assert set(colours) == {"quick", "slow"}
        assert len(set(colours.values())) == 2
        assert all(marker.color == colours[name.partition(":")[0]] for name, marker in named.items())
        assert {marker.symbol for name, marker in named.items() if "on the front" in name} == {"circle"}


def test_of_many_methods_those_with_most_on_the_front_have_colours_and_the_rest_are_grey(many):
    drawn = grouped(many)
    drawn["method"] = [f"m{i % 12}" for i in range(len(drawn))]
    colours = {s.name.partition(":")[0]: s.colour for s in marks.series_of(drawn, by_method=True)}
    assert len(colours) == 12
    assert sum(colour == marks.GREY for colour in colours.values()) == 12 - len(marks.METHODS)
    front = drawn[drawn["group"] == table.FRONT]["method"].value_counts()
    assert colours[front.index[0]] != marks.GREY


def test_slices_contours_and_importances_are_those_of_one_method_s_trials(many):
    drawn = grouped(many).dropna(subset=["slow.lr", "slow.layer"])
    assert set(drawn["method"]) == {"slow"}
    assert landscape.can_contour(drawn, "slow.lr", "slow.layer")
    card = many.facts.card("verbmem_f")
    contour = landscape.contour_chart(drawn, "slow.lr", "slow.layer", card, many.distributions)
    assert json.loads(contour.to_json())["data"][0]["type"] == "contour"
    sliced = landscape.slice_chart(drawn, "slow.layer", card, many.distributions["slow.layer"])
    assert sliced.data[0].x.tolist() == drawn["slow.layer"].tolist()
    found = importances_of.__wrapped__(many, "", "slow")
    assert set(found.index) == {"slow.lr", "slow.layer", "slow.kind"}
    assert found["verbmem_f"].idxmax() == "slow.lr"


def test_parallel_coordinates_leave_out_what_only_some_have(many):
    figure = many_axes.parallel(grouped(many), ["verbmem_f"], many.facts.cards, many.parameters)
    assert [dimension.label for dimension in figure.data[0].dimensions] == ["method", "verbmem_f (low)"]
