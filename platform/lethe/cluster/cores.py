"""The cores that a process may use, and how OpenMP's threads wait on them for one another. Imports next to nothing.

torch's threads (OpenMP's) wait at the end of every operation by spinning. Where another process has one of the cores,
all the others spin until the last of them gets it: a training step of a small model on two threads took five times as
long beside one busy process, and seventy times beside three. Threads that sleep after a short look lose a tenth or two
where the cores are free, and a third where operations are very small (measurements/results/spinning.md).
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path

# Read when torch is loaded: GNU's OpenMP by how often it looks before it sleeps, LLVM's and Intel's by milliseconds.
SPIN_SHORTLY = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
WAITING = ("OMP_WAIT_POLICY", *SPIN_SHORTLY)  # a user who sets one of them has decided


def share_cores(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to add to a process's environment before torch is loaded; none that its user has decided on.

    Threads are as many as cores by themselves, where no container's limit leaves fewer.
    """
    spin = {} if any(name in environment for name in WAITING) else SPIN_SHORTLY
    limited = available_cpus() < _visible_cpus() and "OMP_NUM_THREADS" not in environment
    return spin | ({"OMP_NUM_THREADS": str(available_cpus())} if limited else {})


def available_cpus(root: Path = Path("/")) -> int:
    """CPUs that this process may use: those it is bound to, or fewer where its container has less, rounded up.

    `root` is where /proc and /sys are.
    """
    return math.ceil(min(_visible_cpus(), _quota(root)))


def _visible_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _quota(root: Path) -> float:
    """The least share of CPU time, in CPUs, that a control group of this process leaves it; infinite without one."""
    groups = root / "proc/self/cgroup"
    lines = groups.read_text().splitlines() if groups.exists() else []
    limits = [math.inf]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            limits += [_limit(folder / "cpu.max") for folder in _upwards(root / "sys/fs/cgroup", path)]
        elif "cpu" in controllers.split(","):
            for mount in (controllers, "cpu"):
                limits += [_limit_v1(folder) for folder in _upwards(root / "sys/fs/cgroup" / mount, path)]
    return min(limits)


def _upwards(mount: Path, path: str) -> list[Path]:
    """A group's folder and those above it, up to the mount; in a container the path may be that of its host."""
    group = mount / path.strip("/")
    return [group, *(above for above in group.parents if above.is_relative_to(mount))]


def _limit(file: Path) -> float:
    """Of version 2: "max 100000", or microseconds in each period of so many."""
    quota, period = file.read_text().split() if file.exists() else ("max", "1")
    return math.inf if quota == "max" else int(quota) / int(period)


def _limit_v1(folder: Path) -> float:
    """Of version 1: -1, or microseconds, in each period."""
    quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
    if not (quota.exists() and period.exists()) or int(quota.read_text()) <= 0:
        return math.inf
    return int(quota.read_text()) / int(period.read_text())
