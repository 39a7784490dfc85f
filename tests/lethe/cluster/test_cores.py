"""Threads follow the cores that are really there, and wait for one another without taking them from others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lethe.cluster import cores
from lethe.cluster.cores import SPIN_SHORTLY, available_cpus, share_cores

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def sixteen(monkeypatch):
    """A machine of 16 cores."""
    monkeypatch.setattr(cores, "_visible_cpus", lambda: 16)


def write(root, files):
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    return root


V2, V1 = "proc/self/cgroup", "9:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n"


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, 16),  # no Linux, or nothing to read
        ({V2: "0::/\n"}, 16),
        ({V2: "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 16),
        ({V2: "0::/\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
        ({V2: "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({V2: "0::/\n", "sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({V2: "0::/\n", "sys/fs/cgroup/cpu.max": "9900000 100000\n"}, 16),
        # a service or a pod: the limit of a group above counts too
        ({V2: "0::/kube/pod/one\n", "sys/fs/cgroup/kube/pod/cpu.max": "300000 100000", "sys/fs/cgroup/kube/pod/one/cpu.max": "max 100000"}, 3),
        # a container that sees its host's path, but only its own group's files
        ({V2: "0::/kube/pod/one\n", "sys/fs/cgroup/cpu.max": "200000 100000"}, 2),
        ({V2: V1, "sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_quota_us": "200000\n", "sys/fs/cgroup/cpu,cpuacct/docker/ab/cpu.cfs_period_us": "100000\n"}, 2),
        ({V2: V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({V2: V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 16),
        ({V2: "3:cpuset:/\n2:cpuacct:/\n1:cpu:/\n0::/\n"}, 16),  # both versions, and no limit
    ],
)  # fmt: skip
def test_a_container_s_limit_is_counted_in_cores_and_rounded_up(files, cpus, tmp_path):
    assert available_cpus(write(tmp_path, files)) == cpus


def test_the_cores_that_a_process_is_bound_to_are_no_more_for_a_container_s_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "_visible_cpus", lambda: 2)
    assert available_cpus(write(tmp_path, {V2: "0::/\n", "sys/fs/cgroup/cpu.max": "800000 100000"})) == 2


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ({}, SPIN_SHORTLY),
        ({"OMP_NUM_THREADS": "4"}, SPIN_SHORTLY),
        ({"OMP_WAIT_POLICY": "active"}, {}),
        ({"GOMP_SPINCOUNT": "infinity"}, {}),
        ({"KMP_BLOCKTIME": "200"}, {}),
    ],
)
def test_threads_spin_shortly_but_where_their_user_has_decided(own, added, monkeypatch):
    monkeypatch.setattr(cores, "_quota", lambda root: float("inf"))
    assert share_cores(own) == added


@pytest.mark.parametrize(("own", "threads"), [({}, "3"), ({"OMP_NUM_THREADS": "8"}, None)])
def test_there_are_no_more_threads_than_a_container_leaves_cores_but_where_their_user_has_decided(
    own, threads, monkeypatch
):
    monkeypatch.setattr(cores, "_quota", lambda root: 2.5)
    assert share_cores(own).get("OMP_NUM_THREADS") == threads


SHOW = "import os, sys; print([name for name in ('torch', 'ray') if name in sys.modules], os.environ['GOMP_SPINCOUNT'])"


@pytest.mark.parametrize(
    ("start", "own", "shown"),
    [
        ("import measurements", {}, "[] 1000"),
        ("import measurements", {"GOMP_SPINCOUNT": "7"}, "[] 7"),
        ("from lethe_cli.main import main; sys.argv = ['lethe', '--help']; main()", {}, "[] 1000"),
        ("from lethe_cli.main import main; sys.argv = ['lethe', 'tune', '--no-such-flag']; main()", {}, "[] 1000"),
        ("from lethe_cli.main import main; sys.argv = ['lethe', 'tune', '--set', 'lr=x']; main()", {}, "[] 1000"),
    ],
)
def test_every_process_of_lethe_decides_before_torch_is_loaded_and_a_mistake_loads_neither_it_nor_ray(
    start, own, shown
):
    code = f"import sys; sys.path[:0] = ['platform', '.']\ntry:\n    {start}\nexcept (SystemExit, RuntimeError):\n    pass\n{SHOW}"
    environment = {name: value for name, value in os.environ.items() if name not in cores.WAITING} | own
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip().endswith(shown), done.stdout + done.stderr
