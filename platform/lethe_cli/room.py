"""The room that a run of `lethe train`, which keeps the weights of every candidate, takes on the disk: told before it.

A search keeps those of its front only (lethe/search/upkeep.py).
"""

import os
import shutil
from pathlib import Path

from rich.console import Console

from trainables.benchmarks import MADE
from trainables.memory.plan import FP32, Unplanned, read_shape, written_elements
from trainables.methods import find_method
from trainables.settings import Settings
from trainables.task import Task, locate

GB = 10**9
WORTH_A_NOTE = 10 * GB


def announce_room(task: Task, settings: Settings, folder: Path, console: Console) -> None:
    """Say what the weights of all candidates take, where that is much; ValueError where the disk has less free.

    Of a model whose size the plan does not know nothing is said.
    """
    if task.benchmark in MADE and task.model is None:  # a million parameters, maybe not made yet
        return
    try:
        each = FP32 * written_elements(read_shape(locate(task).target), settings)
    except Unplanned:
        return
    count, free = candidates(settings), free_bytes(folder)
    needed = f"{count} candidates of {each / GB:.1f} GB each take {count * each / GB:.0f} GB"
    if count * each > free:
        raise ValueError(
            f"the weights of {needed}, and the disk of {str(folder)!r} has {free / GB:.0f} GB free: give another "
            "--out, or have fewer of them (--set eval_every, or what else a method has)"
        )
    if count * each > WORTH_A_NOTE:
        console.print(f"note: the weights of {needed} in {folder}; none is removed", soft_wrap=True, highlight=False)


def candidates(settings: Settings) -> int:
    """How many candidates a run has: its method's at every evaluation, of which the last step is one."""
    return len(find_method(settings.method).roles) * settings.evaluations


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder that may not be there yet."""
    return shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if os.path.exists(path))).free
