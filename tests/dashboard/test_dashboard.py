"""The app, page by page, without a browser: what is shown, what a click does, what the link holds, and bad stores."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
import tiny_ablation
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from tiny_dashboard import HOSTILE, finish, make_study, start
from tiny_study import SPACE

from dashboard import published, wire
from lethe.search.ledger import Ledger
from lethe.store.facts import load_facts
from lethe.store.snapshot import Reader
from lethe.store.storage import load_study, open_storage
from lethe.store.urls import VARIABLE

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = ("decide", "front", "trial", "audit", "progress", "hyperparameters", "ablation", "arena", "compare")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study that no test changes."""
    return make_study(tmp_path_factory.mktemp("made"))


@pytest.fixture
def url(made, monkeypatch):
    """That study, as the one that the app shows."""
    monkeypatch.setenv(VARIABLE, made)
    return made


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A study of the test's own."""
    url = make_study(tmp_path / "results")
    monkeypatch.setenv(VARIABLE, url)
    return url


@pytest.fixture(autouse=True, scope="module")
def _components_looked_for_once():
    """Streamlit reads what every installed package says of itself for each app: a third of these tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def _no_caches():
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(page: str = "decide", **query: str | list[str]) -> AppTest:
    """The app on a page, by a link; no traceback on it."""
    app = AppTest.from_file(str(APP), default_timeout=180)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page != "decide":
        app.switch_page(f"views/{page}.py").run()
    assert not app.exception, app.exception[0].value
    return app


def walked(**query: str | list[str]) -> Iterator[tuple[str, AppTest]]:
    """One reader who opens page after page."""
    app = opened(**query)
    for page in PAGES:
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception[0].value
        yield page, app


def words(app: AppTest) -> str:
    """All that the page says in plain text, sentences and titles."""
    kinds = ("title", "subheader", "caption", "text", "markdown", "info", "warning", "error", "metric", "code")
    shown = (f"{e.value} {getattr(e, 'label', '')}" for kind in kinds for e in app.get(kind))
    return "\n".join(shown).replace("\\", "")


def linked(app: AppTest, name: str) -> list[str]:
    """A query parameter of the link, as a list."""
    value = app.query_params[name]
    return [value] if isinstance(value, str) else list(value)


def box(app: AppTest, label: str):
    return next(b for b in app.selectbox if b.label == label)


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(url, page):
    app = opened(page)
    assert app.title[0].value.lower() == page
    assert not app.error


def test_a_newcomer_sees_the_recommended_point_why_and_what_its_model_says(url):
    text = words(opened())
    assert "Nearest to what you ask: trial" in text
    assert "gives up the least in total" in text
    assert "1,000 redraws" in text
    for said in ("before 0", "after 0", "truth", "prompt 0"):
        assert said in text
    assert "0 of 8 are still at 80 or above (target 8)" in text
    assert "forgotten text, to be continued, item 0, among the worst" in text


def test_the_worst_comes_first_and_another_order_stands_in_the_link(own, tmp_path):
    for file in (tmp_path / "results").glob("trial-1/20-student.parquet"):
        frame = pd.read_parquet(file)
        frame.loc[frame["item"] == 5, ["value", "output"]] = [88.0, "recited"]
        frame.to_parquet(file)
    worst = opened("trial", candidate="1/step/20/student")
    text = words(worst)
    assert "of all items 1 of 8 are still at 80 or above (target 8)" in text
    assert text.index("recited") < text.index("after 0")
    box(worst, "order").set_value("changed").run()
    assert linked(worst, "order") == ["changed"]
    assert "recited" not in words(worst)  # it changed least, from 90 to 88


def test_a_limit_changes_what_is_left_and_stands_in_the_link(url):
    app = opened(limit=["verbmem_f::30", "nonsense"])
    before = words(opened())
    assert {f.label.replace("\\", ""): f.value for f in app.number_input} == {
        "verbmem_f at most": 30,
        "privleak at least": None,
        "privleak at most": None,
        "knowmem_r at least": None,
        "utility at least": None,
    }
    assert linked(app, "limit") == ["verbmem_f::30"]
    assert "within your limits" in words(app)
    assert words(app) != before
    app.number_input[0].set_value(29.4).run()
    assert linked(app, "limit") == ["verbmem_f::29.4"]
    app.number_input[0].set_value(1.0).run()
    assert "Nothing is left: widen a limit, let the search go on, or ship none" in words(app)
    app.number_input[0].set_value(None).run()
    assert "limit" not in app.query_params
    assert not app.exception


def test_what_a_widget_says_outlives_an_older_link_that_the_browser_still_sends(url):
    app = opened(limit="verbmem_f::90")
    app.query_params["limit"] = ["verbmem_f::95"]  # by hand: it is read
    app.run()
    assert app.number_input[0].value == 95
    app.query_params["limit"] = ["verbmem_f::90"]  # sent with a widget's change: the browser was late
    app.number_input[0].set_value(30.0).run()
    assert app.number_input[0].value == 30
    assert linked(app, "limit") == ["verbmem_f::30"]


def test_a_click_on_the_front_opens_the_trial(url):
    app = opened("front")
    click(app, app.get("plotly_chart")[0].proto.id, {"points": [{"customdata": "2/step/20/teacher"}]})
    assert app.title[0].value == "Trial"
    assert linked(app, "candidate") == ["2/step/20/teacher"]
    assert app.number_input[0].value == 2
    text = words(app)
    assert "python platform/train_mt.py --benchmark muse-mini" in text
    assert "--set steps=20" in text


def click(app: AppTest, widget: str, selection: dict) -> None:
    """Select in a chart or a table, as a browser tells the server of it."""
    states = app._tree.get_widget_states()
    nothing = {"points": [], "point_indices": [], "box": [], "lasso": []}
    states.widgets.add(id=widget, string_value=json.dumps({"selection": nothing | selection}))
    app._run(states)


def test_the_second_half_of_a_double_click_does_not_bring_the_front_back(url):
    app = opened("front")
    app.session_state[wire.SELECTION] = replace(app.session_state[wire.SELECTION], candidate="2/step/20/teacher")
    app.session_state[wire.LEAVING] = "front"  # the click's own run was broken off by a run of the same page
    app.run()
    assert app.title[0].value == "Trial"
    assert linked(app, "candidate") == ["2/step/20/teacher"]
    app.switch_page("views/front.py").run()
    assert app.title[0].value == "Front"


def test_a_link_shows_the_same_view(url):
    query = {
        "x": "privleak",
        "y": "utility",
        "candidate": "1/step/20/student",
        "intervals": "no",
        "objectives": ["utility"],
    }
    app = opened("front", **query)
    assert [box(app, axis).value for axis in "xy"] == ["privleak", "utility"]
    assert app.multiselect[0].value == ["utility"]
    (figure,) = figures(app)
    assert "chosen" in {trace.get("name") for trace in figure["data"]}
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("privleak")
    box(app, "x").set_value("verbmem_f").run()
    assert linked(app, "x") == ["verbmem_f"]
    assert linked(app, "y") == ["utility"]


@pytest.mark.parametrize("view", ["3-D", "matrix", "parallel"])
def test_the_other_views_of_the_front(url, view):
    app = opened("front", view=view)
    kinds = {trace["type"] for trace in figures(app)[0]["data"]}
    assert kinds & {"scatter3d", "splom", "parcoords"}


def test_progress_shows_what_runs_what_failed_and_why(url):
    app = opened("progress")
    text = words(app)
    assert "7 of 10" in text
    assert "Running: 1" in text
    assert "CUDA out of memory" in text


def test_a_trial_that_was_stopped_early_is_listed_with_the_reason_and_says_so_itself(own, tmp_path):
    ledger = Ledger(open_storage(own), "tiny", SPACE)
    number = start(ledger, tmp_path / "results")
    ledger.stop(number, "step 20: 9 of the 12 trials that came there are ahead of it, and 4 of so many go on")
    finish(ledger, number)
    text = words(opened("progress"))
    assert "Stopped early: 1" in text
    assert "most often (1 times): step 20: 9 of the 12 trials" in text
    text = words(opened("trial", candidate=f"{number}/step/20/student"))
    assert "This trial was stopped early, at step 20: 9 of the 12 trials" in text
    assert "stopped early" not in words(opened("trial", candidate="0/step/20/student"))


def test_a_study_that_goes_on_is_shown_anew_without_losing_the_selection(own, tmp_path):
    app = opened("front", x="utility")
    ledger = Ledger(open_storage(own), "tiny", SPACE)
    finish(ledger, start(ledger, tmp_path / "results"))
    app.run()
    assert "of 32 candidates" in words(app)
    assert linked(app, "x") == ["utility"]


def test_a_search_box_finds_what_models_wrote(url):
    app = opened("trial", search="prompt 3")
    assert "1 items" in words(app)
    assert "prompt 3" in words(app)
    assert "prompt 4" not in words(app)


def test_few_trials_get_no_importances_but_a_sentence(url):
    assert "Too few trials: 6 are complete" in words(opened("hyperparameters"))


def test_the_published_runs_load_as_a_study(url):
    for page, app in walked(study=published.NEWS_RUNS):
        assert app.title[0].value.lower() == page
    app = opened("compare")
    assert published.NEWS_RUNS in app.multiselect[0].value
    assert "different benchmarks" in words(opened("compare", study=published.NEWS_RUNS))


def test_a_note_is_stored_with_the_study_and_nothing_else_is_written(own):
    app = opened("trial", candidate="1/step/20/student")
    app.text_area[0].set_value(HOSTILE)
    app.form_submit_button[0].click().run()
    assert Reader(own, "tiny").read().notes == {1: HOSTILE}


def test_text_from_models_and_studies_is_inert(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, make_study(tmp_path, name="<b>bold</b> **x**", output=HOSTILE))
    for _, app in walked():
        for kind in ("markdown", "caption", "title", "subheader", "error", "warning", "info", "metric"):
            for element in app.get(kind):
                for part in (str(getattr(element, "value", "")), str(getattr(element, "label", ""))):
                    assert "<script" not in part
                    assert "[link](" not in part
                assert not getattr(element.proto, "allow_html", False) or kind != "markdown"
        for figure in figures(app):
            assert "<script" not in json.dumps(figure)
    shown = opened("trial")
    assert any(HOSTILE in element.value for element in shown.text)


@pytest.mark.parametrize("what", ["missing", "empty", "text", "facts", "no studies", "no trials"])
def test_a_bad_store_is_a_sentence_and_no_page_breaks(made, tmp_path, monkeypatch, what):
    file = tmp_path / "s.db"
    monkeypatch.setenv(VARIABLE, f"sqlite:///{file}")
    if what == "empty":
        file.touch()
    elif what == "text":
        file.write_text("not a database" * 500)
    elif what == "no studies":
        open_storage(f"sqlite:///{file}")
    elif what in ("facts", "no trials"):
        facts = load_facts(load_study(made, "tiny"))
        ledger = Ledger.create(open_storage(f"sqlite:///{file}"), "tiny", facts, SPACE)
        if what == "facts":
            with sqlite3.connect(file) as connection:
                connection.execute("update study_user_attributes set value_json = '{' where study_id = 1")
            connection.close()
        assert ledger.study.study_name == "tiny"
    for _, app in walked():
        assert app.title or app.warning
    if what in ("missing", "empty", "text", "facts"):
        assert len(app.warning) >= 1
    assert what != "missing" or not file.exists()


def test_a_password_is_not_on_the_page(monkeypatch):
    monkeypatch.setenv(VARIABLE, "postgresql://me:Zq9secret@127.0.0.1:1/db")
    app = opened()
    assert "Zq9secret" not in words(app) + str(app.main) + str(app.sidebar)
    assert "***" in words(app)


def test_a_point_whose_outputs_are_gone_says_so(own, tmp_path):
    for file in (tmp_path / "results").glob("trial-*/*.parquet"):
        file.write_bytes(b"half a file") if "10" in file.name else file.unlink()
    for candidate, says in (("1/step/20/student", "not on this machine"), ("1/step/10/student", "cannot be read")):
        text = words(opened("trial", candidate=candidate))
        assert says in text.replace("\\", "")
        assert "step records" in text


def test_the_ablation_page_shows_an_ablation_and_says_of_a_search_that_it_is_none(url, tmp_path, monkeypatch):
    assert "This study is a search and no ablation" in words(opened("ablation"))
    ablation, name = tiny_ablation.finished(tmp_path, seeds=3)
    monkeypatch.setenv(VARIABLE, ablation)
    app = opened("ablation", study=name)
    said = words(app)
    assert "loss=ll" in said
    assert "Forest plots" in said
    assert len(figures(app)) >= 4


@pytest.mark.parametrize("page", ["decide", "trial"])
def test_what_was_seen_of_the_reference_models_stands_beside_their_scores(page, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, make_study(tmp_path, notes=["model b: stored in 16 bits"]))
    assert any("stored in 16 bits" in caption.value for caption in opened(page).caption)
