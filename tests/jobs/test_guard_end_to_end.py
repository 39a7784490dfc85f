"""A search by a method that trains nothing: its candidates are scored, kept as folders that load, and shown calmly."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from searching import assert_calm, make_tiny, short_folder, start_search
from streamlit.testing.v1 import AppTest

from lethe.store.urls import VARIABLE
from trainables.subjects.saving import load_subject

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@pytest.fixture(scope="module")
def searched() -> Iterator[SimpleNamespace]:
    """Two trials of `guard_prompt`, of one name or two."""
    with short_folder() as folder:
        tiny = make_tiny(folder)
        places = [part for name, place in tiny.places().items() for part in (f"--{name}", place)]
        asked = [*places, "--method", "guard_prompt", "--range", "names=1:2", "--trials", "2", "--name", "guarded"]
        where = ["--storage-path", str(folder / "results"), "--cpus-per-worker", "0.5", "--concurrent", "1", "--json"]
        with start_search([*asked, *where], folder, tiny.environment()) as search:
            code = search.wait()
            output, errors = search.output.read_text("utf-8"), search.errors.read_text("utf-8")
        yield SimpleNamespace(code=code, output=output, errors=errors, folder=folder)


def test_it_ends_with_a_front_of_guards_each_of_which_loads(searched):
    assert searched.code == 0, searched.errors
    assert_calm(searched.errors)
    told = json.loads(searched.output)
    assert (told["trials"], told["failed"]) == (2, {})
    for candidate in told["front"]:
        assert (candidate["axis"], candidate["role"]) == ("names", "guarded")
        assert load_subject(candidate["weights"]).text


def test_the_page_of_a_trial_says_that_nothing_was_trained(searched, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"sqlite:///{searched.folder}/results/studies.db")
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(APP), default_timeout=180)
    app.query_params.update({"study": "guarded"})
    app.run()
    app.switch_page("views/trial.py").run()
    assert not app.exception
    assert "its method trains nothing" in " ".join(info.value for info in app.info)
