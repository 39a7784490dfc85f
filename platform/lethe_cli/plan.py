"""`lethe plan`: the memory that a run would need, on this hardware or on hardware that is not here."""

import json

from lethe.display.console import open_console
from lethe_cli.command import command
from lethe_cli.flags import PlanFlags
from trainables.benchmarks import MADE, find_source
from trainables.memory.plan import GIB
from trainables.settings import Descent


@command
def plan(flags: PlanFlags) -> None:
    """Print the memory that each GPU and node needs, without loading the model; say what would fit."""
    # pandas and optuna take a second to load, which a help text does without.
    from lethe_cli import checks
    from lethe_cli.effects import Tried, check_effects
    from lethe_cli.presets import find_preset

    preset = find_preset(flags.benchmark or "", flags.method)
    settings = checks.check_settings(flags.settings, preset=preset.settings, method=flags.method)
    check_effects(flags.settings, {flags.method: Tried(settings)})
    reference = planned_model(flags)
    workers = checks.check_count("--workers", preset.workers if flags.workers is None else flags.workers)
    checks.check_count("--gpus-per-node", flags.gpus_per_node)
    for flag, size in {"--gpu-memory": flags.gpu_memory, "--host-memory": flags.host_memory}.items():
        if size is not None and not 0 < size * GIB < float("inf"):
            raise ValueError(f"{flag} is {size:g}: it must be a number of GiB greater than 0")
    reference = checks.check_planned(reference)
    # torch takes seconds to load: not before the input is known to be good.
    from lethe_cli.plan_table import memory_of, show_plan
    from trainables.memory.fitting import check_fit
    from trainables.memory.plan import plan as make_plan
    from trainables.memory.plan import read_shape
    from trainables.methods import needs_of
    from trainables.runs.weights import check_weights
    from trainables.subjects.models import check_checkpointing

    check_weights(reference, [settings])
    if isinstance(settings, Descent) and settings.checkpointing:
        check_checkpointing(reference)
    shape, memory = read_shape(reference, trainable=needs_of(settings).trainable), memory_of(flags)
    needed = make_plan(shape, settings, workers, per_node=flags.gpus_per_node)
    console = open_console(stderr=flags.as_json)
    for note in preset.notes(flags.settings):
        console.print(f"note: {note}", soft_wrap=True, highlight=False)
    show_plan(needed, shape, workers, memory, console)
    if flags.as_json:
        print(json.dumps({"phases": needed.phases, "host": needed.host}, indent=2))
    check_fit(shape, settings, workers, memory)


def planned_model(flags: PlanFlags) -> str:
    """The model that is planned for: the one given, or the benchmark's; ValueError where there is neither."""
    reference = flags.model or (find_source(flags.benchmark).target if flags.benchmark else None)
    if reference is None or reference in MADE:
        raise ValueError("which model is planned? give --benchmark muse-news or muse-books, or a folder with --model")
    return reference
