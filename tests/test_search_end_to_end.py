import json
import re
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from plain_loop import one_thread, outcome, plain_search
from searching import (
    assert_calm,
    interrupt,
    left_over,
    start_search,
    trials_of,
    under_way,
    wait_until,
)

from lethe import store
from trainables.config import parse_config
from trainables.models import load_model
from trainables.session import make_session
from trainables.task import Task
from trainables.unlearning import Unlearner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TRIALS = 3
SEED = ["--seed", "3", "--concurrent", "1"]


@pytest.fixture(autouse=True, scope="module")
def thread():
    """One, as in the workers."""
    with one_thread():
        yield


LONG = {"steps": 40, "every": 4}  # some seconds a trial: long enough to be met while it runs


@pytest.fixture(scope="module")
def searched(place, tiny):
    """A search that was stopped by Ctrl-C, and gone on with: what it printed at last, and its study.

    SIGTERM, what `ray job stop` sends, is in test_elastic.py; kill -9 in test_ablate_end_to_end.py.
    """
    storage = f"sqlite:///{place}/a/studies.db"
    arguments = [*tiny.flags(**LONG), *SEED, "--trials", str(TRIALS), "--storage-path", str(place / "a"), "--resume"]

    def states(wanted):
        return [t for t in trials_of(storage, "data") if t.state == wanted]

    with start_search(arguments, place, tiny.environment()) as search:
        wait_until(lambda: under_way(place / "a", least=1) is not None and states(TrialState.COMPLETE), search)
        processes = search.descendants()
        assert len(processes) > 5
        interrupt(search)
        assert search.wait(60) == 130, search.printed()
        assert_calm(search.printed())
        assert search.printed().count("interrupted") == 1, search.printed()
        assert f"--trials {TRIALS} --resume" in search.printed()
        left = left_over(processes, search.mark)
    assert states(TrialState.RUNNING) == []
    with start_search([*arguments, "--json"], place, tiny.environment()) as search:
        code = search.wait()
        study = optuna.load_study(study_name="data", storage=storage)
        left += left_over([], search.mark)
        return code, search.output.read_text("utf-8"), search.errors.read_text("utf-8"), study, left


def settings(**chosen):
    return parse_config({name: str(value) for name, value in chosen.items()})


def test_a_search_that_was_stopped_ends_as_the_obvious_loop(searched, tiny, place):
    study = searched[3]
    config = settings(steps=LONG["steps"], eval_every=LONG["every"], batch_size=2)
    assert outcome(study) == plain_search(store.load_facts(study), tiny, place / "plain", TRIALS, config)
    interrupted = [t.number for t in study.trials if store.is_interrupted(t)]
    repeats = [t.user_attrs[store.RERUN_OF] for t in study.trials if store.RERUN_OF in t.user_attrs]
    assert len(interrupted) == 1
    assert sorted(repeats) == interrupted


def test_a_search_ends_well_and_leaves_nothing_running(searched):
    code, _, errors, _, left = searched
    assert code == 0, errors
    assert left == []


def test_a_search_s_output_is_calm_and_a_front(searched):
    _, output, errors, _, _ = searched
    assert_calm(output + errors)
    assert re.search(r"\d+ of \d+ scored checkpoints are on the front", errors)
    assert f"{TRIALS}/{TRIALS}" in errors
    assert "target" in errors
    assert "retrained" in errors


def test_json_is_the_whole_front_with_intervals_and_references(searched):
    _, output, _, _, _ = searched
    told = json.loads(output)
    assert (told["study"], told["trials"], told["interrupted"]) == ("data", TRIALS, False)
    assert told["failed"] == {}
    assert {"target", "retrained"} <= set(told["references"])
    assert len(told["front"]) >= 1
    for point in told["front"]:
        assert point["role"] in ("student", "teacher")
        for value, low, high in point["scores"].values():
            assert low <= value <= high


def test_weights_of_the_front_and_only_they_are_kept_and_load(searched, place):
    front = json.loads(searched[1])["front"]
    kept = {str(file.parent) for file in (place / "a").rglob("model.safetensors")}
    assert kept == {point["weights"] for point in front}
    for folder in kept:
        assert load_model(folder).num_parameters() > 0


def test_the_store_opens_with_plain_optuna(searched):
    _, _, _, study, _ = searched
    assert [t.state for t in study.trials if not store.is_interrupted(t)] == [TrialState.COMPLETE] * TRIALS
    assert len(study.best_trials) >= 1
    points = store.read_points(study, store.load_facts(study))
    assert set(points["role"]) == {"student", "teacher"}
    ended = points[points["trial"].isin([t.number for t in study.trials if t.state == TrialState.COMPLETE])]
    assert len(ended) == TRIALS * 2 * LONG["steps"] / LONG["every"]


def test_a_front_point_s_weights_are_the_bits_that_its_parameters_give_alone(searched, tiny, place):
    point = json.loads(searched[1])["front"][-1]
    config = settings(steps=LONG["steps"], eval_every=LONG["every"], batch_size=2, **point["parameters"])
    list(Unlearner(Task(**tiny.places(), cache=str(place / "cache-alone")))(config, place / "alone"))
    name = Path(point["weights"]).name
    assert bits(place / "alone" / name) == bits(point["weights"])


def bits(folder) -> bytes:
    return (Path(folder) / "model.safetensors").read_bytes()


def test_the_tenth_trial_in_a_warm_worker_is_the_same_trial_alone(tiny, place):
    task = Task(
        benchmark=str(tiny.folder / "data"), model=str(tiny.folder / "target"), cache=str(place / "cache-alone")
    )
    trials = [{"trial": n, "lr": 0.02 * (n + 1), "alpha": 1.0 + n, "delta": 0.01 * (n + 1)} for n in range(10)]
    base = settings(steps=2, eval_every=1, batch_size=2)
    session, fresh = (make_session(task, base, str(place / name)) for name in ("ten", "one"))
    in_row = [without_places(list(session(trial))) for trial in trials]
    assert in_row[9] == without_places(list(fresh(trials[9])))
    weights = [file.relative_to(place / "ten") for file in (place / "ten" / "trial-00009").rglob("*.safetensors")]
    assert len(weights) == 4
    assert all((place / "ten" / file).read_bytes() == (place / "one" / file).read_bytes() for file in weights)
    assert in_row[8] != in_row[9]


def without_places(results):
    return [
        {k: v for k, v in point.items() if k not in ("weights", "items")} for r in results for point in r["checkpoints"]
    ]
