"""The page Arena without a browser, the choice of its studies at the side, and its report."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tiny_arena import ENTRANTS, Entered, Made, make_arena, many
from tiny_dashboard import HOSTILE, make_study

from dashboard import data, wire
from dashboard.charts import arenas as charts
from dashboard.reports import arenas as arena_report
from lethe.analysis.arena import read_arena
from lethe.fronts.objectives import Constraint
from lethe.store.urls import VARIABLE
from lethe_cli.report import report

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@pytest.fixture(autouse=True, scope="module")
def _caches():
    yield
    st.cache_data.clear()
    st.cache_resource.clear()
    data.readers_of.cache_clear()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An arena of twenty entrants with two seeds, beside a plain study."""
    folder = tmp_path_factory.mktemp("whole")
    make_study(folder, trials=2, name="plain")
    return make_arena(folder, many(seeds=2, trials=3))


@pytest.fixture(scope="module")
def arena(whole):
    return read_arena(whole, "tiny")


@pytest.fixture
def app(whole, monkeypatch):
    """The page of that arena, as a reader comes to it."""
    return opened(whole, monkeypatch)


def opened(url, monkeypatch, **query):
    monkeypatch.setenv(VARIABLE, url)
    app = AppTest.from_file(str(APP), default_timeout=180)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    app.switch_page("views/arena.py").run()
    assert not app.exception, app.exception[0].value
    return app


def linked(app, name):
    value = app.query_params[name]
    return [value] if isinstance(value, str) else list(value)


def words(app):
    kinds = ("title", "subheader", "caption", "text", "markdown", "info", "warning", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind)).replace("\\", "")


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def names(figure):
    return [trace.get("name") for trace in figure["data"] if trace.get("showlegend", True) and trace.get("name")]


def test_the_page_says_whom_to_take_and_draws_the_few_best_strongly(app, arena):
    assert f"so far {arena.entrants['entrant'][0]} has a hypervolume of" in words(app)
    few = arena.entrants["entrant"].tolist()[: charts.FEW]
    assert names(figures(app)[0]) == ["all others", *few, "target", "retrained", "recommended"]
    table = app.dataframe[0].value
    assert table["method"].tolist() == [*arena.entrants["entrant"], "(target)", "(retrained)"]
    assert table[["trials", "failed"]].to_numpy().tolist()[-3] == ["6", "6"]


def test_those_that_are_chosen_are_drawn_instead_and_stand_in_the_link(app):
    chosen = next(box for box in app.multiselect if box.label == "drawn strongly")
    chosen.set_value(["method_03"]).run()
    assert linked(app, "entrants") == ["method_03"]
    assert names(figures(app)[0]) == ["all others", "method_03", "target", "retrained", "recommended"]
    assert names(figures(app)[1]) == ["method_03"]


def test_a_link_keeps_the_methods_that_are_drawn_and_the_axes(whole, monkeypatch):
    app = opened(whole, monkeypatch, entrants=["method_05", "nobody"], x="utility")
    assert "method_05" in names(figures(app)[0])
    assert figures(app)[0]["layout"]["xaxis"]["title"]["text"].startswith("utility")


def test_the_studies_of_an_arena_are_chosen_behind_its_name(app):
    at_the_side = {box.label: box for box in app.selectbox}
    assert at_the_side["study"].options[:2] == ["tiny (arena)", "plain"]
    assert len(at_the_side["study of the arena"].options) == 40
    at_the_side["study"].set_value("plain").run()
    assert not app.exception
    assert linked(app, "study") == ["plain"]
    assert "study of the arena" not in {box.label for box in app.selectbox}


def test_a_click_names_the_candidate_and_its_study_and_no_other_text_is_taken_for_a_study():
    def clicked(beside):
        return {"selection": {"points": [{"customdata": ["3/step/20/student", *beside]}]}}

    assert wire.clicked_in(clicked(["tiny: a 0"]), ["tiny: a 0"]) == ("3/step/20/student", "tiny: a 0")
    assert wire.clicked_in(clicked([12.5]), ["tiny: a 0"]) == ("3/step/20/student", "")
    assert wire.clicked_in(clicked([]), []) == ("3/step/20/student", "")


def test_a_store_without_an_arena_says_how_to_make_one(tmp_path, monkeypatch):
    assert "`lethe arena` makes one" in words(opened(make_study(tmp_path, trials=1), monkeypatch))


@pytest.mark.parametrize(
    ("studies", "said"),
    [
        (
            [Entered(entrant="a", seed=0, trials=[]), Entered(entrant="b", seed=0, trials=[])],
            "There is nothing to compare",
        ),
        (many(ENTRANTS[:3], seeds=1), "No verdict: one seed"),
        (
            [Entered(entrant="a", seed=0, trials=[Made(state="FAIL", failure=HOSTILE, cost=1)])],
            "every one of its 1 trials",
        ),
    ],
    ids=["just begun", "one seed", "all failed"],
)
def test_an_arena_that_says_little_says_so(tmp_path, monkeypatch, studies, said):
    app = opened(make_arena(tmp_path, studies), monkeypatch)
    assert said in words(app)
    arena = read_arena(f"sqlite:///{tmp_path}/studies.db", "tiny")
    assert said in arena_report.as_markdown(arena)
    assert "<img" not in re.sub(r"<script.*?</script>", "", arena_report.as_html(arena), flags=re.DOTALL)


def test_a_candidate_at_the_edge_of_the_guard_is_said_to_be_there(arena):
    assert arena_report.table_texts(arena) == [*arena_report.TABLE]
    edge = replace(arena, facts=replace(arena.facts, constraints=(Constraint(score="utility", floor=55.0),)))
    name, utility = edge.entrants.loc[edge.entrants["utility"] < 55, ["entrant", "utility"]].iloc[0]
    text = arena_report.as_markdown(edge)
    assert f"{utility:.1f} ±2.0, beyond ≥ 55 |" in text
    assert f"{name} (utility {utility:.1f} ±2.0, ≥ 55)" in text
    assert arena_report.EDGE in text


def test_the_report_is_one_page_that_needs_no_network_and_says_what_the_page_says(whole, arena, tmp_path):
    for ending in ("html", "md"):
        report("tiny", str(tmp_path / f"arena.{ending}"), storage=whole)
    page, text = ((tmp_path / f"arena.{ending}").read_text("utf-8") for ending in ("html", "md"))
    titles = ["In short", "The methods", "What is to be had for what", "Fronts of all methods"]
    assert re.findall(r"<h2>(.*?)</h2>", page)[:4] == titles
    assert page.count("plotly-graph-div") == 3
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    for line in arena.words:
        assert line in text
    assert f"| {arena.entrants['entrant'][0]} |" in text
    assert "\\" not in text
    assert "commit" not in text


def test_the_looks_of_twenty_methods_are_all_different_and_a_family_has_one_colour():
    families = {
        name: "ascent" if i < 9 else "preference" if i < 15 else f"family {i}" for i, name in enumerate(ENTRANTS)
    }
    looks = charts.looks(families)
    assert len({(look.colour, look.marker) for look in looks.values()}) == 20
    assert len({looks[name].colour for name in ENTRANTS[:9]}) == 1


def test_a_course_is_drawn_as_far_as_all_seeds_have_been(arena):
    course = arena.course[arena.course["entrant"] == "method_04"]
    cut = course.drop(course[(course["seed"] == 1) & (course["cost"] > 150)].index)
    drawn = charts.over_seeds(cut, "method_04")
    assert drawn["cost"].iloc[-1] == 150
    assert (drawn["least"] <= drawn["mean"]).all()
    assert (drawn["mean"] <= drawn["most"]).all()
    ends = [rows[rows["cost"] <= 150]["volume"].iloc[-1] for _, rows in course.groupby("seed")]
    assert drawn["mean"].iloc[-1] == pytest.approx(sum(ends) / 2)
