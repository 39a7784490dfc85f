"""A memory plan as a table, and the check of it that every run on GPUs passes before it loads anything."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lethe_cli.flags import PlanFlags
from search_spaces.presets import PRESET_SETTINGS
from trainables.benchmarks import MADE
from trainables.failures import NoSuchWeights
from trainables.memory.fitting import Memory, check_fit
from trainables.memory.plan import GIB, Plan, Shape, Unplanned, plan, read_shape
from trainables.methods import needs_of
from trainables.settings import Settings
from trainables.task import Task, locate


def announce_plan(task: Task, all_settings: Sequence[Settings], *, workers: int, gpus: float, console: Console) -> None:
    """Print the plan of runs on GPUs, or of a preset, and refuse what cannot fit; ValueError says what would.

    Of several configurations the one that needs most is shown, and each is checked. `gpus` is the share of GPUs that
    one worker has. Without a GPU on this machine nothing is refused; of a model that the plan does not know, only that
    is said.
    """
    memory = here(gpus)
    small = task.benchmark in MADE and task.model is None  # a million parameters, maybe not made yet
    if small or (task.benchmark not in PRESET_SETTINGS and memory.gpu is None):
        return
    target = locate(task).target
    try:
        shapes = {
            trainable: read_shape(target, trainable=trainable) for trainable in set(map(_trainable, all_settings))
        }
    except Unplanned as error:
        console.print(f"note: {error}; whether the run fits is not known", soft_wrap=True, highlight=False)
        return
    except NoSuchWeights:  # which preparing a run tells
        return
    planned = [(plan(shapes[_trainable(c)], c, workers, per_node=memory.per_node), c) for c in all_settings]
    planned.sort(key=lambda pair: pair[0].peak, reverse=True)
    needed, heaviest = planned[0]
    several = len({settings.method for settings in all_settings}) > 1
    if several:
        console.print(f"of the methods {heaviest.method} needs most memory:", highlight=False)
    show_plan(needed, shapes[_trainable(heaviest)], workers, memory, console)
    for _, settings in planned:
        try:
            check_fit(shapes[_trainable(settings)], settings, workers, memory)
        except ValueError as error:
            raise ValueError(f"{settings.method}: {error}" if several else str(error)) from None


def _trainable(settings: Settings) -> str:
    return needs_of(settings).trainable


def here(gpus: float) -> Memory:
    """The memory of this machine, as `nvidia-smi` tells it: a CUDA context of the driver's own would take some."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    if not gpus or shutil.which(command[0]) is None:
        return Memory()
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    sizes = [int(size) for size in told if size.isdigit()]  # MiB
    if not sizes:
        return Memory()
    host = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Memory(
        gpu=int(min(sizes) * 2**20 * min(1.0, gpus)),
        host=host,
        per_node=max(1, int(len(sizes) / gpus)),
        shared=gpus < 1,
    )


def memory_of(flags: PlanFlags) -> Memory:
    """Memory given in GiB."""
    sizes = [None if size is None else int(size * GIB) for size in (flags.gpu_memory, flags.host_memory)]
    return Memory(gpu=sizes[0], host=sizes[1], per_node=flags.gpus_per_node)


def show_plan(needed: Plan, shape: Shape, workers: int, memory: Memory, console: Console) -> None:
    """Print a plan's table, and one line for the host."""
    count = f"{workers} worker{'s' if workers > 1 else ''}"
    console.print(f"memory plan: {shape.elements() / 1e9:.2f}B parameters on {count}, GiB per GPU", highlight=False)
    console.print(draw_plan(needed, memory))
    host = "" if memory.host is None else f" of {memory.host / GIB:.0f}"
    console.print(f"host memory: {needed.host / GIB:.0f}{host} GiB on a node", highlight=False)


def draw_plan(needed: Plan, memory: Memory) -> Table:
    """Parts down, phases across, in GiB; the sum, and where it is known, what a GPU has."""
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    end = "sum" if memory.gpu is None else f"sum, of {memory.gpu / GIB:.1f}"
    table.add_column("part", footer=end, no_wrap=True)
    for phase in needed.phases:
        table.add_column(phase, footer=f"{needed.need(phase) / GIB:.1f}", justify="right", no_wrap=True)
    parts = list(dict.fromkeys(part for phase in needed.phases.values() for part in phase if part != "reserve"))
    for part in (*parts, "reserve"):
        sizes = [phase.get(part, 0) for phase in needed.phases.values()]
        if any(sizes):
            table.add_row(part, *(f"{size / GIB:.1f}" if size else "" for size in sizes))
    return table
