import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import ray
import torch
from ray import tune
from searching import FAIR, short_folder

import trainables
from lethe.cluster import connection as cluster
from trainables.failures import OutOfMemory
from trainables.workers import group as workers
from trainables.workers.group import WarmTrainable, Workers, check_code, code_hash, warm
from trainables.workers.mailbox import RESTARTED, Mailbox


def make_workload(journal, killed):
    """A workload for two workers; the first writes down all that happens to it, a trial's config says what to do.

    The second one dies, once, in the middle of the result at which the config says so.
    """

    def note(what, trial=None):
        if os.environ["RANK"] == "0":
            with open(journal, "a") as file:
                file.write(json.dumps({"what": what, "trial": trial, "pid": os.getpid()}) + "\n")

    def workload():
        note("loaded")

        def session(config):
            note("began", config["trial"])
            try:
                for step in range(config["results"]):
                    if step == config.get("raises_at"):
                        raise OSError("disk full")
                    if step == config.get("memory_at") and os.environ["RANK"] == "1":
                        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...")
                    if step == config.get("killed_at") and os.environ["RANK"] == "1" and not os.path.exists(killed):
                        open(killed, "w").close()
                        os.kill(os.getpid(), signal.SIGKILL)
                    time.sleep(0.05)
                    seen = {"size": int(os.environ["WORLD_SIZE"]), "gpus": os.environ["CUDA_VISIBLE_DEVICES"]}
                    yield {"step": step, "twice": 2 * config["trial"]} | seen
                note("ended", config["trial"])
            except GeneratorExit:
                note("closed", config["trial"])
                raise

        return session

    return workload


def read(journal):
    return [json.loads(line) for line in journal.read_text().splitlines()]


class Results(tune.Callback):
    """Every result of every trial, in the order in which Tune saw them."""

    def __init__(self):
        self.seen = {}

    def on_trial_result(self, iteration, trials, trial, result, **info):
        self.seen.setdefault(trial.config["trial"], []).append(result)


TRIALS = [  # one after the other on one slot
    {"trial": 0, "results": 3},
    {"trial": 1, "results": 10_000},  # stopped by Tune after 5 results
    {"trial": 2, "results": 2},
    {"trial": 3, "results": 4, "raises_at": 2},
    {"trial": 4, "results": 2},
    {"trial": 5, "results": 0},
    {"trial": 6, "results": 4, "killed_at": 2},
    {"trial": 7, "results": 4, "memory_at": 2},
    {"trial": 8, "results": 2},
]


@pytest.fixture(scope="module")
def local_ray():
    """A Ray of this module's own, as Lethe starts it."""
    with pytest.MonkeyPatch.context() as patch, short_folder() as folder:
        patch.delenv("RAY_ADDRESS", raising=False)
        for name, value in (FAIR | {"RAY_TMPDIR": str(folder)}).items():
            patch.setenv(name, value)
        with cluster.connect([]):
            yield folder


@pytest.fixture(scope="module")
def run(local_ray):
    """Nine trials on one slot of two workers: every result by trial, and the journal of the first worker."""
    journal, results = local_ray / "journal", Results()
    workload = make_workload(str(journal), str(local_ray / "killed"))
    trainable = warm(workload, Workers(count=2, cpus=1), str(local_ray / "warm"))
    tuner = tune.Tuner(
        trainable,
        param_space=tune.grid_search(TRIALS),
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=1),
        run_config=tune.RunConfig(
            storage_path=str(local_ray / "tune"), stop={"training_iteration": 5}, callbacks=[results], verbose=0
        ),
    )
    tuner.fit()
    return results.seen, read(journal)


def of(journal, what):
    return [entry["trial"] for entry in journal if entry["what"] == what]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_trials_run_one_after_the_other_and_each_gets_its_own_results_in_their_order(run):
    results, journal = run
    assert of(journal, "began") == [0, 1, 2, 3, 4, 5, 6, 6, 7, 8]
    steps = {trial: [r["step"] for r in seen if "step" in r] for trial, seen in results.items()}
    assert steps.pop(7)[:2] == [0, 1]  # the first worker may hand in its third result before it waits for the second
    assert steps == {
        0: [0, 1, 2],
        1: [0, 1, 2, 3, 4],
        2: [0, 1],
        3: [0, 1],
        4: [0, 1],
        5: [],
        6: [0, 1, 2, 3],
        8: [0, 1],
    }
    assert all(r["twice"] == 2 * trial for trial, seen in results.items() for r in seen if "twice" in r)
    assert {(r["size"], r["gpus"]) for seen in results.values() for r in seen if "size" in r} == {(2, "")}


@pytest.mark.slow
def test_a_group_loads_once_and_runs_every_trial_until_it_dies(run):
    _, journal = run
    first, second, third, fourth = (entry["pid"] for entry in journal if entry["what"] == "loaded")
    began = [(entry["trial"], entry["pid"]) for entry in journal if entry["what"] == "began"]
    assert len({first, second, third, fourth}) == 4
    assert began == [
        *((trial, first) for trial in range(4)),
        *((trial, second) for trial in (4, 5, 6)),
        (6, third),
        (7, third),
        (8, fourth),
    ]


@pytest.mark.slow
def test_a_stopped_trial_is_cancelled_inside_the_warm_group(run):
    _, journal = run
    assert [trial for trial in of(journal, "closed") if trial not in (6, 7)] == [
        1
    ]  # those whose other worker ended may see it
    assert of(journal, "ended") == [0, 2, 4, 5, 6, 8]
    closed = next(entry for entry in journal if entry["what"] == "closed")
    began = next(entry for entry in journal if entry["what"] == "began" and entry["trial"] == 2)
    assert closed["pid"] == began["pid"]


@pytest.mark.slow
def test_a_trial_whose_session_raises_ends_once_with_the_reason_and_no_other_does(run):
    results, _ = run
    failures = {trial: [r["failure"] for r in seen if "failure" in r] for trial, seen in results.items()}
    assert {trial: len(found) for trial, found in failures.items() if found} == {3: 1, 7: 1}, failures
    assert "disk full" in failures[3][0]
    assert "\n" not in failures[3][0]


@pytest.mark.slow
def test_one_worker_whose_memory_is_full_ends_the_trial_at_once_with_the_reason_though_the_others_wait_for_it(run):
    results, _ = run
    assert "CUDA out of memory" in results[7][-1]["failure"]
    assert not any(RESTARTED in result for result in results[7])


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_result_and_is_told_once(run):
    results, _ = run
    told = {trial: [r["step"] for r in seen if RESTARTED in r] for trial, seen in results.items()}
    (step,) = told.pop(6)
    assert step in (2, 3)  # the first worker may have handed in its third result before the second one died
    assert not any(told.values())


@pytest.mark.slow
def test_workers_of_a_trial_that_is_stopped_compute_nothing_more_of_it_and_take_the_next_at_once(local_ray):
    journal, last = local_ray / "journal of stops", [1, 2, 0, 4]  # the result behind which each trial is stopped

    def workload():
        def session(config):
            for step in range(config["results"]):
                if os.environ["RANK"] == "0":
                    with open(journal, "a") as file:  # as a result is computed, not as it is handed in
                        file.write(json.dumps({"trial": config["trial"], "step": step, "pid": os.getpid()}) + "\n")
                yield {"step": step}

        return session

    results = Results()
    tuner = tune.Tuner(
        warm(workload, Workers(count=2, cpus=1), str(local_ray / "warm"), stops=True),
        param_space=tune.grid_search([{"trial": trial, "results": 3 if trial == 1 else 1000} for trial in range(4)]),
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=1),
        run_config=tune.RunConfig(
            storage_path=str(local_ray / "tune of stops"),
            stop=lambda trial, result: "step" in result and result["step"] == last[result["config"]["trial"]],
            callbacks=[results],
            verbose=0,
        ),
    )
    tuner.fit()
    computed = read(journal)
    assert {entry["pid"] for entry in computed} == {computed[0]["pid"]}
    assert [(entry["trial"], entry["step"]) for entry in computed] == [
        *((trial, step) for trial, end in enumerate(last) for step in range(end + 1))
    ]


@pytest.mark.parametrize(
    ("size", "error", "told"),
    [
        (2, ValueError("Default process group has not been initialized"), "note"),  # it was there, and is gone
        (2, RuntimeError("Connection closed by peer"), "note"),
        (1, ValueError("no such loss"), "fail"),
        (1, RuntimeError("CUDA error: device-side assert triggered"), "fail"),
        (1, IndexError("index out of range in self"), "fail"),
        (2, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "fail"),
        (2, OutOfMemory("memory is full while scoring"), "fail"),
    ],
)
def test_only_what_cannot_be_the_loss_of_another_worker_ends_a_job(monkeypatch, size, error, told):
    called = []

    def method(name):
        return SimpleNamespace(remote=lambda *args: called.append((name, args)))

    def session(config):
        raise error

    mailbox = SimpleNamespace(**{name: method(name) for name in ("wait", "note", "fail")})
    mailbox.take, mailbox.post = "take", "post"
    monkeypatch.setattr(workers, "get_context", lambda: SimpleNamespace(get_world_size=lambda: size))
    monkeypatch.setattr(workers, "_call_on_first", lambda method, *args: (1, {"trial": 0}))
    monkeypatch.setattr(workers, "_set_up", lambda loop_config: session)
    monkeypatch.setattr(workers.ray, "get", lambda value: value)
    with pytest.raises(type(error)):
        workers.work({"mailbox": mailbox})
    assert called[0][0] == "wait"
    reason = f"{type(error).__name__}: {error}"
    assert called[1:] == [(told, (1, reason))]


def test_a_worker_that_imports_another_copy_of_the_code_loads_nothing():
    loop_config = {"code": "0123456789abcdef", "code_path": "/driver", "threads": 1, "workload": lambda: 1 / 0}
    with pytest.raises(ImportError, match="another copy of the code .* than the driver .*/driver"):
        workers._set_up(loop_config)


@pytest.mark.slow
def test_ctrl_c_on_a_terminal_leaves_the_processes_that_ray_started_alone(local_ray):
    reached = [child for child in psutil.Process().children(recursive=True) if group(child) == os.getpgrp()]
    assert len(reached) > 5
    assert [child.name() for child in reached if not ignores(child, signal.SIGINT)] == []


def group(process: psutil.Process) -> int | None:
    """A process' group; None where it has ended, as Ray's do at any time."""
    with suppress(ProcessLookupError):
        return os.getpgid(process.pid)


def ignores(process: psutil.Process, number: int) -> bool:
    """Whether a process ignores or blocks a signal; one that has ended has nothing to lose by it."""
    try:
        lines = (Path("/proc") / str(process.pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return True
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    masks = [int(status[name], 16) for name in ("SigIgn", "SigBlk")]
    return status["State"].startswith("Z") or any(mask >> (number - 1) & 1 for mask in masks)


@pytest.mark.slow
def test_a_mailbox_lets_a_submit_through_while_a_worker_waits_for_a_job(local_ray):
    box = ray.remote(Mailbox).options(num_cpus=0).remote()
    waiting = box.take.remote()
    ray.get(box.submit.remote({"trial": 0}), timeout=180)
    assert ray.get(waiting, timeout=180) == (1, {"trial": 0})


def test_the_code_s_hash_is_the_same_every_time_and_passes_its_own_check():
    assert code_hash() == code_hash()
    check_code(code_hash(), "anywhere")


def test_another_hash_is_refused_with_both_places_and_where_to_read_on():
    with pytest.raises(ImportError, match="another copy of the code") as error:
        check_code("0" * 16, "/somewhere/else")
    assert "/somewhere/else" in str(error.value)
    assert os.path.dirname(trainables.__file__) in str(error.value)
    assert "docs/cluster.md" in str(error.value)


def test_workers_ask_for_a_gpu_only_where_one_is_wanted():
    assert Workers(cpus=2).scaling().resources_per_worker == {"CPU": 2}
    assert Workers(cpus=1, gpus=0.5).scaling().resources_per_worker == {"CPU": 1, "GPU": 0.5}


def test_workers_that_share_a_gpu_do_not_speak_nccl():
    """NCCL on an H100: "Duplicate GPU detected"."""
    assert [Workers(count=2, gpus=gpus).backend for gpus in (0, 0.5)] == ["gloo", "gloo"]
    assert [Workers(count=2, gpus=gpus).backend for gpus in (1, 2)] == ["cpu:gloo,cuda:nccl"] * 2


def test_a_group_is_of_its_number_of_workers_or_of_a_range_of_them():
    assert Workers(count=3).scaling().num_workers == 3
    assert Workers(count=3, least=1).scaling().num_workers == (1, 3)


def test_a_group_that_died_hands_out_what_it_posted_before_its_failure(monkeypatch):
    group = object.__new__(workers._Group)
    posted = [{"step": 0}, None]
    group._thread, group._failure = threading.Thread(), "killed"
    group._mailbox = type("Box", (), {"collect": type("Method", (), {"remote": staticmethod(lambda _: posted.pop(0))})})
    monkeypatch.setattr(workers.ray, "get", lambda value: value)
    assert group.next_result() == {"step": 0}
    assert group.next_result() == {"failure": "its workers died: killed", "done": True}


def test_warm_trainable_keeps_nothing_of_tune_s_checkpoints(tmp_path):
    trainable = object.__new__(WarmTrainable)
    assert trainable.save_checkpoint(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []
