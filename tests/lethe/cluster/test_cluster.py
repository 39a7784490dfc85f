"""How many trials fit into a cluster at once, and what is asked of one before the first."""

import math
import os
from pkgutil import resolve_name
from types import SimpleNamespace

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lethe.analysis.designs import Arm
from lethe.cluster.connection import Cluster, connect, run_remotely, slots
from lethe.cluster.cores import available_cpus
from trainables.methods.mean_teacher import MeanTeacher
from trainables.task import Task


def cluster(cpus, gpus=0.0, nodes=1):
    return Cluster(nodes=((cpus, gpus),) * nodes)


@pytest.mark.parametrize(
    ("there", "cpus", "gpus", "trials", "fitting"),
    [
        (cluster(8), 1, 0, 20, 8),
        (cluster(8), 3, 0, 20, 2),
        (cluster(8), 1, 0, 5, 5),
        (cluster(64, 4), 1, 1, 20, 4),
        (cluster(64, 4), 32, 1, 20, 2),
        (cluster(64, 1), 1, 0.25, 20, 4),
        (cluster(1), 0.1, 0, 20, 10),
        (cluster(64, 1), 1, 0.1, 20, 10),
        (cluster(64, 0), 1, 0, 1, 1),
    ],
)
def test_as_many_trials_as_cpus_and_gpus_allow(there, cpus, gpus, trials, fitting):
    assert slots(there, workers=1, cpus=cpus, gpus=gpus, trials=trials) == fitting


@given(parts=st.integers(1, 40), whole=st.integers(1, 16))
def test_a_fraction_of_one_fits_in_as_often_as_it_should(parts, whole):
    assert slots(cluster(whole), workers=1, cpus=1 / parts, gpus=0, trials=10_000) == parts * whole


gpu_shares = st.just(0.0) | st.floats(0.01, 8)


@given(cpus=st.floats(0.1, 64), gpus=gpu_shares, there=st.floats(0.1, 64), on=gpu_shares, n=st.integers(1, 99))
def test_what_runs_at_once_never_wants_more_than_is_there(cpus, gpus, there, on, n):
    try:
        fitting = slots(cluster(there, on), workers=1, cpus=cpus, gpus=gpus, trials=n)
    except ValueError:
        assert cpus > there or gpus > on
        return
    assert 1 <= fitting <= n
    assert fitting * cpus <= there * (1 + 1e-6)
    assert fitting * gpus <= on * (1 + 1e-6) or math.isclose(fitting * gpus, on)


@pytest.mark.parametrize(("cpus", "gpus"), [(9, 0), (1, 3), (1, 2.5)])
def test_a_trial_that_does_not_fit_at_all_is_told_with_what_is_wanted_and_there(cpus, gpus):
    message = (
        f"a trial wants 1 worker of {cpus} CPUs and {gpus} GPUs, but there is room for 0: "
        "the cluster's nodes have 8 CPUs and 2 GPUs, 8 CPUs and 2 GPUs"
    )
    with pytest.raises(ValueError, match=message):
        slots(cluster(8, 2, nodes=2), workers=1, cpus=cpus, gpus=gpus, trials=4)


@pytest.mark.parametrize(
    ("there", "workers", "cpus", "gpus", "fitting"),
    [
        (cluster(2), 2, 1, 0, 1),
        (cluster(8, 8, nodes=2), 8, 1, 1, 2),
        (cluster(8, 8, nodes=2), 16, 1, 1, 1),
        (cluster(3, nodes=2), 2, 2, 0, 1),  # 6 CPUs, but a worker of 2 fits only once on each node
        (cluster(64, 1), 2, 1, 0.5, 1),
    ],
)
def test_the_workers_of_a_trial_may_lie_on_several_nodes_but_none_on_two(there, workers, cpus, gpus, fitting):
    assert slots(there, workers=workers, cpus=cpus, gpus=gpus, trials=9) == fitting
    with pytest.raises(ValueError, match=f"wants {workers * (fitting + 1)} workers"):
        slots(there, workers=workers * (fitting + 1), cpus=cpus, gpus=gpus, trials=9)


def test_the_cpus_are_those_this_process_may_use():
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert available_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert available_cpus() == len(before)


@pytest.mark.parametrize(
    ("own", "passed"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000", "RAY_DEDUP_LOGS": "1"}),
        ({"OMP_WAIT_POLICY": "passive", "RAY_DEDUP_LOGS": "0"}, {"OMP_WAIT_POLICY": "passive", "RAY_DEDUP_LOGS": "0"}),
    ],
)
def test_the_workers_of_a_cluster_that_is_joined_have_the_driver_s_settings(own, passed, monkeypatch):
    joined = {}
    monkeypatch.setattr(os, "environ", {"RAY_ADDRESS": "10.0.0.1:6379", **own})
    monkeypatch.setattr("lethe.cluster.starting.join", lambda **arguments: joined.update(arguments))
    monkeypatch.setattr("ray.nodes", list)
    monkeypatch.setattr("ray.shutdown", lambda: None)
    with connect([]):
        variables = joined["runtime_env"]["env_vars"]
    assert {name: variables.get(name) for name in passed} == passed
    assert ("GOMP_SPINCOUNT" in variables) == (not own)
    assert variables["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.parametrize(("there", "wanted", "lines"), [(0, 0, 0), (1, 0, 1), (1, 0.5, 0), (8, 1, 0)])
def test_a_gpu_that_no_worker_asks_for_is_named(there, wanted, lines, capsys):
    from lethe_cli.search import note_idle_gpus  # loads torch and Ray Tune

    note_idle_gpus(cluster(2, there), wanted, Console())
    assert capsys.readouterr().out.count("there is a GPU: --gpus-per-worker 1") == lines


@pytest.mark.parametrize("run", ["lethe_cli.search.run_search", "lethe_cli.ablating.run_ablation"])
def test_reference_scores_are_measured_on_a_worker_s_gpu_before_a_search_and_before_an_ablation(run, monkeypatch):
    """Not where the driver is, which on a cluster has none."""

    def connect(modules):
        raise ConnectionError

    monkeypatch.setattr("lethe_cli.search.announce_plan", lambda *_, **__: None)
    monkeypatch.setattr("lethe_cli.search.stored_content", lambda request: None)
    monkeypatch.setattr("lethe_cli.preparing.locate", lambda *_, **__: SimpleNamespace(target="t"))
    monkeypatch.setattr("lethe_cli.preparing.check_weights", lambda *_: None)
    monkeypatch.setattr("lethe.cluster.connection.connect", connect)
    request = SimpleNamespace(notes=(), name="n", corners=lambda: [MeanTeacher()], constraints=(), task=Task(benchmark="b"), base=MeanTeacher(), space={"lr": ("uniform", 0.1, 1)}, design=[Arm(name="baseline", settings={}, levels={})], workers=range(1, 2), cpus=1, gpus=1)  # fmt: skip
    with pytest.raises(ConnectionError):
        resolve_name(run)(request, Console())


def test_what_is_raised_on_a_node_is_raised_here_in_its_own_words(monkeypatch):
    """Ray's own error carries the whole traceback as its text."""
    there = ray.exceptions.RayTaskError("reference_scores", "Traceback ...", ValueError("one line"))

    def get(reference):
        raise there.as_instanceof_cause()

    monkeypatch.setattr(
        "ray.remote", lambda function: SimpleNamespace(options=lambda **_: SimpleNamespace(remote=print))
    )
    monkeypatch.setattr("ray.get", get)
    with pytest.raises(ValueError, match="^one line$") as caught:
        run_remotely(max, 1, cpus=1, gpus=1)
    assert type(caught.value) is ValueError
