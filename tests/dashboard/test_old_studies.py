"""Studies made before score cards were stored open in the dashboard and in `lethe report`, with the cards of then.

`tests/data/studies-97f40be.sql` is a store as commit 97f40be wrote it: a search, and an ablation.
"""

import sqlite3
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lethe.store.cards import CARDS_OF_OLD_STUDIES
from lethe.store.facts import CARDS
from lethe.store.snapshot import Reader
from lethe.store.urls import VARIABLE
from lethe_cli.report import report

ROOT = Path(__file__).parents[2]
STORED = ROOT / "tests" / "data" / "studies-97f40be.sql"
PAGES = ("decide", "front", "trial", "progress", "hyperparameters", "ablation", "arena", "compare")


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp("old") / "studies.db"
    connection = sqlite3.connect(file)
    connection.executescript(STORED.read_text("utf-8"))
    connection.close()
    return f"sqlite:///{file}"


@pytest.mark.parametrize("name", ["search", "tiny"])
def test_its_scores_have_the_cards_of_then_with_its_own_goals(url, name):
    facts = Reader(url, name).read().facts
    assert CARDS not in facts.about
    assert facts.cards == CARDS_OF_OLD_STUDIES
    assert facts.card("privleak").good == 5
    assert facts.card("mia_ppl").goal == "zero"
    assert facts.card("nobody knows it").goal == "maximize"


@pytest.mark.parametrize("name", ["search", "tiny"])
def test_every_page_opens(url, name, monkeypatch):
    monkeypatch.setenv(VARIABLE, url)
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=180)
    app.query_params["study"] = name
    app.run()
    for page in PAGES:
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception[0].value
        assert app.title[0].value.lower() == page
        assert not app.error


def test_its_report_is_written_and_means_what_it_meant(url, tmp_path):
    report("tiny", str(tmp_path / "out.md"), storage=url)
    text = (tmp_path / "out.md").read_text("utf-8")
    assert "the student after the run's last step" in text
    assert "verbmem_f: recites forgotten text, best low" in text
    assert r"\|privleak\|: shows that it was trained on it, best near 0" in text
