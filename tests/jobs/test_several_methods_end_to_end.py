"""A search over two methods whose driver is killed: gone on with, it ends as the obvious loop, each trial by its own."""

import json
import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from faults import strike, study_of
from plain_loop import outcome, plain_search
from searching import assert_calm, make_tiny, short_folder, start_search

from lethe.store.facts import load_facts
from lethe.store.trials import RERUN_OF, is_interrupted
from trainables.benchmarks.small_models import one_thread
from trainables.methods import find_method
from trainables.subjects.saving import load_subject

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TRIALS = 4
LENGTH = {"steps": 12, "every": 3}


@pytest.fixture(scope="module")
def searched() -> Iterator[SimpleNamespace]:
    """A search by `npo_gdr` and `guard_prompt`; kill -9 of its driver in a trial of the former, and the command again."""
    with short_folder() as folder:
        tiny = make_tiny(folder)
        results = folder / "results"
        asked = [*tiny.flags(**LENGTH), "--method", "npo_gdr,guard_prompt", "--range", "guard_prompt.names=1:2"]
        asked += ["--choose", "npo_gdr.optimizer=sgd,adamw", "--constrain", "verbmem_f:100", "--seed", "1"]
        asked += [
            "--stop",
            "none",
            "--trials",
            str(TRIALS),
            "--storage-path",
            str(results),
            "--concurrent",
            "1",
            "--resume",
            "--json",
        ]
        with start_search(asked, folder, tiny.environment()) as search:
            struck = strike(results, search, lambda: os.kill(search.process.pid, signal.SIGKILL), least=2)
            search.wait()
        with start_search(asked, folder, tiny.environment()) as search:
            code = search.wait()
            output, errors = search.output.read_text("utf-8"), search.errors.read_text("utf-8")
        study = study_of(f"sqlite:///{results}/studies.db")
        yield SimpleNamespace(
            code=code, output=output, errors=errors, study=study, folder=folder, tiny=tiny, struck=struck
        )


def test_it_ends_as_the_obvious_loop_and_repeats_nothing(searched):
    assert searched.code == 0, searched.errors
    trained = {"steps": str(LENGTH["steps"]), "eval_every": str(LENGTH["every"]), "batch_size": "2"}
    configs = [find_method("npo_gdr").settings.parse(trained), find_method("guard_prompt").settings()]
    with one_thread():
        plain = plain_search(load_facts(searched.study), searched.tiny, searched.folder / "plain", TRIALS, *configs)
    assert outcome(searched.study) == plain
    assert {params["method"] for params, _ in plain} == {"npo_gdr", "guard_prompt"}
    interrupted = [trial.number for trial in searched.study.trials if is_interrupted(trial)]
    assert [
        trial.user_attrs[RERUN_OF] for trial in searched.study.trials if RERUN_OF in trial.user_attrs
    ] == interrupted
    assert len(interrupted) == 1
    assert all(file.stat().st_mtime < searched.struck.at for file in searched.struck.written)


def test_its_front_names_each_candidate_s_method_and_keeps_weights_that_load(searched):
    assert_calm(searched.errors)
    assert "method and settings" in searched.errors
    assert "steps is no setting of guard_prompt" in searched.errors
    told = json.loads(searched.output)
    assert (told["trials"], told["failed"]) == (TRIALS, {})
    for candidate in told["front"]:
        own = candidate["parameters"]["method"]
        assert {name.partition(".")[0] for name in candidate["parameters"]} == {"method", own}
        assert (candidate["role"] == "guarded") == (own == "guard_prompt")
        assert load_subject(candidate["weights"])


def test_what_has_to_hold_is_stored_with_the_study(searched):
    constraints = {c.score: (c.floor, c.ceiling) for c in load_facts(searched.study).constraints}
    assert constraints["verbmem_f"] == (None, 100.0)
    assert "utility" in constraints
