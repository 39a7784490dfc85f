"""`lethe plan`: the memory that a run would need, on this hardware or on hardware that is not here."""

import json
from typing import Annotated

import typer

from lethe.display.progress import open_console
from lethe_cli import checks
from lethe_cli.presets import find_preset
from trainables.benchmarks import EMBEDDED, find_source
from trainables.memory.plan import GIB

Option = typer.Option


def plan(
    benchmark: Annotated[str | None, Option(help="A benchmark by name: its model and its preset.")] = None,
    model: Annotated[str | None, Option(help="Folder or hub id; only its config.json is read.")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="A setting of the run: parallel=fsdp.")] = None,
    workers: Annotated[
        int | None, Option(help="Workers of a trial, one GPU each; default: the preset's, or 1.")
    ] = None,
    gpu_memory: Annotated[float | None, Option(help="GiB of one GPU; a run that does not fit is refused.")] = None,
    host_memory: Annotated[float | None, Option(help="GiB of a node's host memory; the same.")] = None,
    gpus_per_node: Annotated[int, Option(help="GPUs of one node.")] = 8,
    json_: Annotated[bool, Option("--json", help="Print the plan as JSON, in bytes.")] = False,
) -> None:
    """Print the memory that each GPU and node needs, without loading the model; say what would fit."""
    preset = find_preset(benchmark or "")
    config = checks.check_settings(set_ or [], preset=preset.settings)
    reference = model or (find_source(benchmark).target if benchmark else None)
    if reference is None or reference == EMBEDDED:
        raise ValueError("which model is planned? give --benchmark muse-news or muse-books, or a folder with --model")
    count = preset.workers if workers is None else workers
    for flag, value in {"--workers": count, "--gpus-per-node": gpus_per_node}.items():
        if value < 1:
            raise ValueError(f"{flag} is {value}: it must be at least 1")
    for flag, size in {"--gpu-memory": gpu_memory, "--host-memory": host_memory}.items():
        if size is not None and not 0 < size * GIB < float("inf"):
            raise ValueError(f"{flag} is {size:g}: it must be a number of GiB greater than 0")
    reference = checks.check_planned(reference)
    # torch takes seconds to load: not before the input is known to be good.
    from lethe_cli.plan_table import memory_of, show_plan
    from trainables.memory.fitting import check_fit
    from trainables.memory.plan import plan as make_plan
    from trainables.memory.plan import read_shape
    from trainables.methods import needs_of
    from trainables.subjects.models import check_checkpointing

    if config.checkpointing:
        check_checkpointing(reference)
    shape, memory = (
        read_shape(reference, trainable=needs_of(config).trainable),
        memory_of(gpu_memory, host_memory, gpus_per_node),
    )
    needed, console = make_plan(shape, config, count, per_node=gpus_per_node), open_console(stderr=json_)
    for note in preset.notes(set_ or []):
        console.print(f"note: {note}", soft_wrap=True, highlight=False)
    show_plan(needed, shape, count, memory, console)
    if json_:
        print(json.dumps({"phases": needed.phases, "host": needed.host}, indent=2))
    check_fit(shape, config, count, memory)
