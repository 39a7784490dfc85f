"""An imported study opens on every page of the dashboard, compares, and is taken away: no score of it has an interval."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tiny_dashboard import make_study

from dashboard import published
from dashboard.reports import decision
from lethe.analysis import recipes
from lethe.analysis.decide import recommend
from lethe.store.snapshot import Reader
from lethe.store.urls import VARIABLE
from lethe_cli.imports import import_results

ROOT = Path(__file__).parents[2]
PAGES = ("decide", "front", "trial", "audit", "progress", "hyperparameters", "compare")
MUSE = "name,verbmem_f,privleak,knowmem_f,knowmem_r\ntarget,60,-99,60,50\nga,1,2,3,4\nnpo,2,1,3,5\nrmu,30,1,30,40\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    """A store with a search, the paper's runs, and models whose recipes nobody knows."""
    folder = tmp_path_factory.mktemp("imported")
    found = make_study(folder)
    (folder / "muse.csv").write_text(MUSE)
    import_results([str(folder / "muse.csv")], "models", storage=found)
    import_results([str(published.FOLDER / "mean_teacher_news_runs.csv")], "runs", storage=found)
    return found


def page(name, url, study, monkeypatch, **query):
    monkeypatch.setenv(VARIABLE, url)
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=180)
    for key, value in {"study": study, **query}.items():
        app.query_params[key] = value
    app.run()
    return app.switch_page(f"views/{name}.py").run()


@pytest.mark.parametrize("study", ["models", "runs"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens(url, name, study, monkeypatch):
    app = page(name, url, study, monkeypatch)
    assert not app.exception, app.exception[0].value
    assert not app.error
    assert app.title[0].value.lower() == name


def test_it_compares_with_a_search(url, monkeypatch):
    app = page("compare", url, "runs", monkeypatch, others="tiny")
    assert not app.exception, app.exception[0].value
    assert app.dataframe[0].value["study"].tolist() == ["runs", "tiny"]
    assert "scored by different protocols" in " ".join(warning.value for warning in app.warning)


def test_no_command_is_shown_that_would_run_another_s_trial_again(url, monkeypatch):
    assert not page("trial", url, "runs", monkeypatch).code


@pytest.mark.parametrize("study", ["models", "runs"])
def test_the_report_of_a_decision_is_written(url, study):
    read = Reader(url, study).read()
    found = recommend(read.candidates, read.facts.objectives, read.facts.constraints)
    assert found is not None
    assert found.share is None
    assert "NaN" not in decision.as_json(read, found, [], recipes.repeated(read))
