"""A method of one file, one space and one line is listed, searched, ablated, shown and reported; nothing else is touched."""

from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
import streamlit as st
import toy_method
from rich.console import Console
from searching import make_tiny
from streamlit.testing.v1 import AppTest

import search_spaces
from lethe.store.storage import open_storage
from lethe.store.urls import VARIABLE
from lethe_cli import ablating, search
from lethe_cli.ablation_request import AblationRequest, make_ablation
from lethe_cli.flags import AblateFlags, TuneFlags
from lethe_cli.methods import methods
from lethe_cli.report import report
from lethe_cli.request import Request, make_request
from trainables.methods import METHODS
from trainables.runs.unlearning import Unlearner

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = ("decide", "front", "trial", "progress", "hyperparameters", "ablation", "compare")
SHORT = ("steps=2", "eval_every=1", "batch_size=2")


@pytest.fixture(scope="module", autouse=True)
def _its_file_its_space_and_its_line() -> Iterator[None]:
    helpers = Path(toy_method.__file__).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METHODS, "shrink", "toy_method:SHRINK")
        patch.setattr(search_spaces, "__path__", [*search_spaces.__path__, str(helpers / "toy_space")])
        yield


@pytest.fixture(scope="module")
def flags(tmp_path_factory) -> dict:
    """What both commands are given; the store is a file."""
    folder = tmp_path_factory.mktemp("toy")
    places = make_tiny(folder).places()
    return {**places, "method": "shrink", "settings": SHORT, "storage_path": str(folder), "cpus_per_worker": 0.5}


@pytest.fixture(scope="module")
def studies(flags) -> str:
    """A store of a search of two trials and an ablation of two arms and two seeds, as the commands begin them."""
    tune = make_request(TuneFlags(**flags, name="searched", trials=2))
    ablate = make_ablation(AblateFlags(**flags, name="ablated", seeds=2))
    unlearner = Unlearner(tune.task)
    run_all(tune, unlearner, {})
    run_all(ablate, unlearner, {arm.name: arm.settings for arm in ablate.design})
    return tune.storage


def run_all(request: Request, unlearner: Unlearner, arms: dict) -> None:
    """Ask, unlearn, record and tell, trial after trial, as a search does."""
    references, storage = unlearner.loaded.references, open_storage(request.storage)
    about = ablating.described(request.design, request, Console()) if isinstance(request, AblationRequest) else {}
    ledger = search.open_ledger(request, storage, references, about)
    if isinstance(request, AblationRequest):
        ablating.plan_runs(ledger, ablating.all_runs(request, request.design, references.fingerprint), storage)
    for _ in range(request.trials):
        number, params = ledger.ask()
        own = {**arms.get(params.get("arm", ""), {}), **{k: v for k, v in params.items() if k != "arm"}}
        settings = type(request.base)(**{**request.base.chosen(), **own})
        for result in unlearner(settings, Path(request.results) / request.name / str(number)):
            for candidate in result["candidates"]:
                ledger.record(number, candidate)
        ledger.tell(number)


def test_it_is_listed_and_its_card_shows_its_settings(capsys):
    methods()
    assert "every weight shrinks a little" in capsys.readouterr().out
    methods("shrink")
    told = capsys.readouterr().out
    assert "0.001 to 0.5" in told
    assert "takes" in told


def test_it_is_searched_in_its_space_and_scored_under_its_role_on_its_axis(studies):
    study = optuna.load_study(study_name="searched", storage=studies)
    assert [set(trial.params) for trial in study.trials] == [{"share"}, {"share"}]
    scored = {name for trial in study.trials for name in trial.user_attrs if name.startswith("candidate/")}
    left = [1 - trial.params["share"] for trial in study.trials]
    assert scored == {f"candidate/left/{share**step!r}/shrunk" for share in left for step in (1, 2)}
    assert study.user_attrs["lethe"]["about"]["method"] == "shrink"


def test_it_is_ablated_by_its_own_switches_and_reported_in_words(studies, tmp_path):
    report("ablated", str(tmp_path / "out.md"), storage=studies)
    text = (tmp_path / "out.md").read_text("utf-8")
    assert "shrinking=much (a fifth of each weight goes at every step)" in text
    report("ablated", str(tmp_path / "out.html"), storage=studies)


@pytest.mark.parametrize("study", ["searched", "ablated"])
def test_every_page_opens(studies, monkeypatch, study):
    monkeypatch.setenv(VARIABLE, studies)
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(APP), default_timeout=180)
    app.query_params.update({"study": study})
    app.run()
    for page in PAGES:
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception[0].value
