"""A score of one file and one entry is measured, searched for, ablated, shown and reported; nothing else is touched."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
import toy_score
from searching import make_tiny
from streamlit.testing.v1 import AppTest

import trainables.scores
from lethe.analysis.ablation import DESIGN, read_ablation
from lethe.analysis.designs import Design, one_at_a_time
from lethe.search.ledger import Ledger
from lethe.store.storage import open_storage
from lethe.store.urls import VARIABLE
from lethe_cli import checks, search
from lethe_cli.objectives import choose_objectives
from lethe_cli.report import report
from trainables.benchmarks.layout import load_benchmark
from trainables.methods.mean_teacher import MeanTeacher
from trainables.runs.unlearning import Unlearner
from trainables.scores import SCORES, all_scores, searched_scores
from trainables.task import Task

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = ("decide", "front", "trial", "progress", "hyperparameters", "ablation", "compare")
NAME = "likely_f"
SEARCH = {"lr": ("log_uniform", 1e-4, 1e-2)}
DESIGN_OF_TWO = one_at_a_time({"loss": {"nlul": {}, "ll": {"forget_loss": "ll"}}})
ARMS = {"arm": ("choice", tuple(arm.name for arm in DESIGN_OF_TWO)), "seed": ("integer", 0, 9)}


@pytest.fixture(scope="module", autouse=True)
def _the_file_and_its_entry() -> Iterator[None]:
    """The toy's file lies among the scores, and its name stands in the line of names."""
    with pytest.MonkeyPatch.context() as patch:
        helpers = str(Path(toy_score.__file__).parent)
        patch.setattr(trainables.scores, "__path__", [*trainables.scores.__path__, helpers])
        patch.setattr(trainables.scores, "SCORES", (*SCORES, "toy_score"))
        yield


@pytest.fixture(scope="module")
def unlearner(tmp_path_factory) -> Unlearner:
    tiny = make_tiny(tmp_path_factory.mktemp("tiny"))
    return Unlearner(Task(**tiny.places(), cache=tiny.cache()))


@pytest.fixture(scope="module")
def url(unlearner, tmp_path_factory) -> str:
    """A store of a search of two trials and an ablation of two arms and two seeds, with the toy as an objective."""
    folder = tmp_path_factory.mktemp("studies")
    url = f"sqlite:///{folder}/studies.db"
    run_all(study(url, unlearner, "searched", SEARCH), unlearner, folder / "searched", 2, lambda params: params)
    ledger = study(url, unlearner, "ablated", ARMS, DESIGN_OF_TWO)
    for seed in (0, 1):
        for arm in DESIGN_OF_TWO:
            ledger.study.enqueue_trial({"arm": arm.name, "seed": seed})
    run_all(ledger, unlearner, folder / "ablated", 4, lambda params: settings_of(**params))
    return url


def study(url: str, unlearner: Unlearner, name: str, space: dict[str, Any], design: Design | None = None) -> Ledger:
    """A new study as `lethe tune` and `lethe ablate` begin it."""
    available = checks.available_scores(unlearner.loaded.benchmark, retrained=True)
    objectives, _ = choose_objectives(f"verbmem_f,{NAME},knowmem_r", available)
    about = {"benchmark": "tiny", "protocol": "muse", "settings": {"steps": 1}, "space": space}
    about |= {DESIGN: design.to_json()} if design else {}
    asked = SimpleNamespace(
        objectives=tuple(objectives),
        guard={},
        constraints=(),
        sampler="random",
        seed=0,
        bases={},
        task=Task(benchmark="tiny"),
        about=lambda: about,
    )
    return Ledger.create(open_storage(url), name, search.make_facts(asked, unlearner.loaded.references), space)


def settings_of(arm: str, seed: int) -> dict[str, Any]:
    return {**DESIGN_OF_TWO[arm].settings, "seed": seed}


def run_all(ledger: Ledger, unlearner: Unlearner, folder: Path, trials: int, settings: Any) -> None:
    """Ask, unlearn, record and tell, trial after trial, as a search does."""
    for _ in range(trials):
        number, params = ledger.ask()
        config = MeanTeacher(**{"steps": 1, "eval_every": 1, "batch_size": 2, **settings(params)})
        for result in unlearner(config, folder / str(number)):
            for candidate in result["candidates"]:
                ledger.record(number, candidate)
        ledger.tell(number)


def test_it_is_measured_with_its_interval_and_its_reference_rows(unlearner):
    for row in (unlearner.loaded.references.target, unlearner.loaded.references.retrained):
        value, low, high = row[NAME]
        assert 0 <= low <= value <= high <= 100


def test_it_may_be_searched_for_and_a_benchmark_without_its_split_is_told(tmp_path):
    assert NAME in searched_scores()
    benchmark = load_benchmark(make_tiny(tmp_path).places()["benchmark"])
    del benchmark.splits["raw", "forget"]
    with pytest.raises(ValueError, match=f"^{NAME} is among the objectives, but .* has no split raw/forget$"):
        choose_objectives(NAME, checks.available_scores(benchmark, retrained=True))


def test_its_effect_in_an_ablation_allows_for_other_items(url):
    found = read_ablation(url, "ablated")
    assert found.goals[NAME] == "minimize"
    assert NAME not in found.without_items()
    effect = found.effects().set_index("score").loc[NAME]
    assert effect["low"] < effect["value"] < effect["high"]


def test_the_report_says_what_it_means(url, tmp_path):
    report("ablated", str(tmp_path / "out.md"), storage=url)
    report("ablated", str(tmp_path / "out.html"), storage=url)
    text = (tmp_path / "out.md").read_text("utf-8")
    assert "likely_f: finds forgotten text likely, best low" in text
    assert "likely_f" in (tmp_path / "out.html").read_text("utf-8")


@pytest.mark.parametrize("study", ["searched", "ablated"])
def test_every_page_shows_it(url, monkeypatch, study):
    monkeypatch.setenv(VARIABLE, url)
    st.cache_data.clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(APP), default_timeout=180)
    app.query_params.update({"study": study, "score": NAME, "x": NAME})
    app.run()
    said = ""
    for page in PAGES:
        app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception[0].value
        said += " ".join(str(element.value) for kind in ("text", "caption", "markdown") for element in app.get(kind))
    assert "finds forgotten text likely" in said
    assert "forgotten text, weighed" in said.replace("\\", "")


def test_it_stands_behind_all_others_and_is_gone_with_its_entry(monkeypatch):
    assert list(all_scores())[-1] == NAME
    monkeypatch.setattr(trainables.scores, "SCORES", SCORES)
    assert NAME not in all_scores()
