"""A whole ablation in processes of its own: paired, killed half way and gone on with, its runs taken over by another."""

import json
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import optuna
import pytest
from optuna.trial import TrialState
from plain_loop import outcome
from searching import assert_calm, left_over, start_search, trials_of, wait_until

from lethe.analysis.ablation import read_ablation
from lethe.store.trials import RERUN_OF, is_interrupted
from lethe_cli.main import main
from trainables.benchmarks.small_models import one_thread
from trainables.methods.mean_teacher import MeanTeacher
from trainables.runs.unlearning import Unlearner
from trainables.scores import measured_scores
from trainables.task import Task

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LENGTH = {"steps": 6, "every": 3}
BUDGET = ["--seeds", "2", "--concurrent", "1"]
SWITCHES = ["--switch", "penalty=kl,none", "--switch", "teacher", *BUDGET]
ARMS = ["baseline", "penalty=none", "teacher=frozen", "teacher=none"]
NAME = "data-loco"


@pytest.fixture(scope="module")
def killed(place, tiny):
    """An ablation whose driver was killed half way, and gone on with."""
    storage = f"sqlite:///{place}/a/studies.db"
    flags = [*tiny.flags(**LENGTH), *SWITCHES, "--storage-path", str(place / "a"), "--resume"]

    def complete():
        return [t for t in trials_of(storage, NAME) if t.state == TrialState.COMPLETE]

    with start_search(flags, place, tiny.environment(), "ablate_mt.py") as search:
        wait_until(lambda: len(complete()) >= 4, search, every=1)
        processes = search.descendants()
        os.kill(search.process.pid, signal.SIGKILL)
        assert search.wait() == -signal.SIGKILL
    before = [(t.number, t.datetime_complete) for t in complete()]
    with start_search([*flags, "--json"], place, tiny.environment(), "ablate_mt.py") as search:
        assert search.wait() == 0, search.printed()
        assert_calm(search.printed())
        told = json.loads(search.output.read_text("utf-8"))
        yield SimpleNamespace(storage=storage, before=before, told=told, processes=processes, mark=search.mark)


def test_a_killed_ablation_goes_on_and_repeats_nothing(killed):
    before, told = killed.before, killed.told
    study = optuna.load_study(study_name=NAME, storage=killed.storage)
    done = [t for t in study.trials if t.state == TrialState.COMPLETE]
    assert sorted((t.params["arm"], t.params["seed"]) for t in done) == sorted((a, s) for a in ARMS for s in (0, 1))
    assert [(t.number, t.datetime_complete) for t in done][: len(before)] == before
    interrupted = [t.number for t in study.trials if is_interrupted(t)]
    assert sorted(t.user_attrs[RERUN_OF] for t in study.trials if RERUN_OF in t.user_attrs) == interrupted
    assert (told["runs"], told["interrupted"], told["failed"]) == (8, False, {})


def test_the_runs_of_a_killed_ablation_are_bit_for_bit_those_of_the_obvious_loop(killed, tiny, place):
    study = optuna.load_study(study_name=NAME, storage=killed.storage)
    arms = {arm.name: arm.settings for arm in read_ablation(killed.storage, NAME).design}
    base = MeanTeacher(steps=LENGTH["steps"], eval_every=LENGTH["every"], batch_size=2)
    with one_thread():
        unlearner = Unlearner(Task(**tiny.places(), cache=str(place / "cache-plain")), scores=measured_scores())
        for number, (params, scores) in enumerate(outcome(study)):
            config = replace(base, **arms[params["arm"]], seed=params["seed"])
            results = unlearner(config, place / "plain" / str(number))
            assert [candidate["scores"] for result in results for candidate in result["candidates"]] == scores


def test_the_arms_of_a_seed_differ_by_what_they_switch_and_share_the_rest(killed):
    runs = read_ablation(killed.storage, NAME).runs
    scores = runs[runs["seed"] == 0].set_index("arm")["verbmem_f"]
    assert set(scores.index) == set(ARMS)
    assert len({round(value, 6) for value in scores}) > 1


def test_another_design_takes_over_the_runs_that_it_shares_and_starts_no_ray_where_these_are_all(killed, place, tiny):
    storage, room = killed.storage, place / "second"
    room.mkdir()
    flags = [*tiny.flags(**LENGTH), "--switch", "penalty=kl,none", *BUDGET]
    flags += ["--storage-path", str(place / "a"), "--name", "second"]
    with start_search(flags, room, tiny.environment(), "ablate_mt.py") as search:
        assert search.wait() == 0, search.printed()
        assert "4 runs were finished by other studies of this store: taken over" in search.printed()
    assert {path.suffix for path in room.iterdir()} == {".out", ".err"}  # what was printed, and no folder of Ray's
    first, second = (read_ablation(storage, name).runs.set_index(["arm", "seed"]) for name in (NAME, "second"))
    shared = [(arm, seed) for arm in ("baseline", "penalty=none") for seed in (0, 1)]
    assert second.loc[shared, "verbmem_f"].equals(first.loc[shared, "verbmem_f"])


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_the_report_is_written(killed, tmp_path, monkeypatch, suffix):
    out = tmp_path / f"out.{suffix}"
    monkeypatch.setattr("sys.argv", ["lethe", "report", NAME, str(out), "--storage", killed.storage])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    text = out.read_text("utf-8")
    assert all(arm in text for arm in ARMS)


def test_nothing_is_left_running_of_the_killed_driver_and_of_the_one_that_went_on(killed):
    """The last one: Ray's agents outlive a killed driver by a minute."""
    assert len(killed.processes) > 5
    assert left_over(killed.processes, killed.mark) == []
