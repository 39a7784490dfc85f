"""`lethe train`, and `python platform/train_mt.py`: one configuration, without Ray or a search."""

import os

from lethe.cluster.environment import ALLOCATOR
from lethe.display.console import open_console
from lethe.store.urls import RESULTS
from lethe_cli.command import command, end
from lethe_cli.flags import TrainFlags


@command
def train(flags: TrainFlags) -> None:
    """Run one configuration of a method, and print its scores before and after."""
    # pandas and optuna take a second to load, which a help text does without.
    from lethe_cli import checks
    from lethe_cli.effects import notes_of
    from lethe_cli.presets import find_preset
    from lethe_cli.request import check_task
    from lethe_cli.run_file import RunFile, check_folder

    preset = find_preset(flags.benchmark, flags.method)
    settings = checks.check_settings(flags.settings, preset=preset.settings, method=flags.method)
    task, _ = check_task(flags)
    checks.check_texts([settings], task.benchmark)
    place = checks.check_folder_to_write("--out", flags.out or RESULTS)
    folder = place if flags.out else None
    if folder:
        check_folder(folder, RunFile.of(task, settings), resume=flags.resume)
    console = open_console(stderr=flags.as_json)
    for note in (*preset.notes(flags.settings), *notes_of(flags.settings, settings)):
        console.print(f"note: {note}", soft_wrap=True, highlight=False)
    for name, value in ALLOCATOR.items():
        os.environ.setdefault(name, value)
    # torch takes seconds to load: not before the input is known to be good.
    from lethe_cli.single import run_single

    end(run_single(task, settings, folder, console, go_on=flags.resume), as_json=flags.as_json)
