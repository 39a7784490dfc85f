"""A whole search in processes of its own to which all happens that can: it ends as the obvious loop, and shows its front.

More faults, each by itself, are in tests/faults.py; a killed driver is in test_ablate_end_to_end.py, a killed node in
test_jobs.py, a full disk in test_unlearning.py.
"""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from faults import LENGTH, TRIALS, Place, kill_actor, kill_server, kill_worker, strike, study_of
from optuna.trial import TrialState
from plain_loop import Outcome, outcome, plain_search
from postgres import binaries, start_postgres
from searching import assert_calm, interrupt, left_over
from slow_candidates import read_candidates

from lethe.store.facts import load_facts
from lethe.store.trials import RERUN_OF, is_interrupted
from trainables.benchmarks.small_models import one_thread
from trainables.methods.mean_teacher import MeanTeacher
from trainables.subjects.models import load_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
AWAY = "does not answer; trying again"  # what a driver says of a server that is gone


@pytest.fixture(autouse=True, scope="module")
def thread() -> Iterator[None]:
    """One, as in the workers."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def searched(place, tiny):
    """A search that loses a worker, then its actor, and is stopped by Ctrl-C; its resume loses the study's server.

    The study is kept by PostgreSQL, or in a file where there is no such server here. SIGTERM, what `ray job stop`
    sends, is in test_jobs.py.
    """
    with start_postgres() if binaries() else nullcontext() as server:
        there = Place(place / "a", tiny, server=server and server.url())
        with there.search() as search:
            struck = [strike(there.results, search, partial(kill_worker, search), least=0)]
            struck.append(strike(there.results, search, partial(kill_actor, search), least=1))
            processes = []

            def stop() -> None:
                processes.extend(search.descendants())
                interrupt(search)

            struck.append(strike(there.results, search, stop, least=2))
            assert search.wait() == 130, search.printed()
            assert_calm(search.printed())
            assert search.printed().count("goes on from its last candidate") == 2, search.printed()
            assert search.printed().count("interrupted") == 1, search.printed()
            assert f"--trials {TRIALS} --resume" in search.printed()
            left = left_over(processes, search.mark)
        states = [t.state for t in study_of(there.storage()).trials]
        with there.search(arguments=[*there.arguments(), "--json"]) as search:
            if server:
                struck.append(strike(there.results, search, partial(kill_server, server, search), least=len(states)))
            code = search.wait()
            left += left_over([], search.mark)
        yield SimpleNamespace(
            code=code,
            output=search.output.read_text("utf-8"),
            errors=search.errors.read_text("utf-8"),
            processes=processes,
            left=left,
            struck=struck,
            states_at_the_stop=states,
            study=study_of(there.storage()),
            results=there.results,
        )


def settings(**chosen):
    return MeanTeacher.parse({name: str(value) for name, value in chosen.items()})


@pytest.fixture(scope="module")
def plain(searched, tiny, place) -> Outcome:
    """What the obvious loop makes of the same study."""
    config = settings(steps=LENGTH["steps"], eval_every=LENGTH["every"], batch_size=2)
    return plain_search(load_facts(searched.study), tiny, place / "plain", TRIALS, config)


def test_a_search_that_lost_all_and_was_stopped_ends_as_the_obvious_loop(searched, plain):
    study = searched.study
    assert searched.code == 0, searched.errors
    assert outcome(study) == plain
    interrupted = [t.number for t in study.trials if is_interrupted(t)]
    assert [t.state for t in study.trials if t.number not in interrupted] == [TrialState.COMPLETE] * TRIALS
    assert len(interrupted) == 1
    assert [t.user_attrs[RERUN_OF] for t in study.trials if RERUN_OF in t.user_attrs] == interrupted


def test_no_trial_that_was_hit_began_anew(searched):
    assert len(searched.struck) == (4 if binaries() else 3)
    assert all(file.stat().st_mtime < one.at for one in searched.struck for file in one.written)


def test_ctrl_c_stops_what_runs_and_nothing_is_left_running(searched):
    assert len(searched.processes) > 5
    assert TrialState.RUNNING not in searched.states_at_the_stop
    assert searched.left == []


def test_a_search_s_output_is_calm_and_a_front(searched):
    errors = searched.errors
    assert_calm(searched.output + errors)
    assert (AWAY in errors) == bool(binaries())
    assert re.search(r"\d+ of \d+ scored candidates are on the front", errors)
    assert f"{TRIALS}/{TRIALS}" in errors
    assert "target" in errors
    assert "retrained" in errors


def test_json_is_the_whole_front_with_intervals_and_references(searched):
    told = json.loads(searched.output)
    assert (told["study"], told["trials"], told["interrupted"]) == ("data", TRIALS, False)
    assert told["failed"] == {}
    assert {"target", "retrained"} <= set(told["references"])
    assert len(told["front"]) >= 1
    for candidate in told["front"]:
        assert candidate["role"] in ("student", "teacher")
        for value, low, high in candidate["scores"].values():
            assert low <= value <= high


def test_weights_of_the_front_and_only_they_are_kept_and_load(searched):
    kept = {str(file.parent) for file in searched.results.rglob("model.safetensors")}
    assert kept == {candidate["weights"] for candidate in json.loads(searched.output)["front"]}
    for folder in kept:
        assert load_model(folder).num_parameters() > 0


def test_every_candidate_of_every_trial_is_in_the_store(searched):
    study = searched.study
    candidates = read_candidates(study, load_facts(study))
    assert set(candidates["role"]) == {"student", "teacher"}
    ended = candidates[candidates["trial"].isin([t.number for t in study.trials if t.state == TrialState.COMPLETE])]
    assert len(ended) == TRIALS * 2 * LENGTH["steps"] / LENGTH["every"]


def test_the_weights_of_every_front_point_are_the_bits_that_the_obvious_loop_wrote(searched, plain, place):
    folders = sorted(folder.name for folder in searched.results.glob("data-*/trial-*"))  # one a trial, in their order
    for candidate in json.loads(searched.output)["front"]:
        kept = Path(candidate["weights"])
        written = place / "plain" / f"trial-{folders.index(kept.parent.name)}" / kept.name
        assert (kept / "model.safetensors").read_bytes() == (written / "model.safetensors").read_bytes()
