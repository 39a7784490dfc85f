"""What a process of an audit runs, reading after reading. No torch until then: a driver hands it over without."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from trainables.keys import CODE, code_hash
from trainables.probes.measuring import Asked
from trainables.task import Task


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all readings of an audit share."""

    task: Task
    score_batch: int  # prompts or texts scored at once
    folder: str  # where tables of items are written
    cpus: float  # of the process
    code: str  # hash of the driver's copy of the code, and where that lies
    path: str


def make_auditor(job: Job) -> Callable[[Asked], dict[str, Any]]:
    """What makes a reading in this process; ValueError where it imported another copy of the code than the driver."""
    if code_hash() != job.code:
        raise ValueError(
            f"a process of the cluster runs another copy of the code ({CODE}) than the driver ({job.path}): see "
            "docs/cluster.md"
        )
    threads = max(1, int(job.cpus))
    os.environ["OMP_NUM_THREADS"] = str(threads)  # for torch where it is not loaded yet
    import torch

    from trainables.probes.auditing import Auditor

    torch.set_num_threads(threads)
    return partial(Auditor(job.task, job.score_batch), folder=job.folder)
