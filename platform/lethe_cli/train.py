"""`lethe train`, and `python platform/train_mt.py`: one configuration, without Ray or a search."""

import json
import os
from typing import Annotated

import typer

from lethe.cluster.environment import ALLOCATOR
from lethe.display.progress import open_console
from lethe.store.storage import RESULTS
from lethe_cli import checks
from lethe_cli.presets import find_preset
from lethe_cli.request import DEFAULT_BENCHMARK, check_task
from lethe_cli.run_file import RunFile, check_folder
from trainables.benchmarks import BENCHMARKS
from trainables.config import Config
from trainables.scores.protocol import PROTOCOLS

Option = typer.Option


def train(
    benchmark: Annotated[
        str, Option(help=f"{', '.join(BENCHMARKS)}, a folder of MUSE's layout, or a hub id.")
    ] = DEFAULT_BENCHMARK,
    set_: Annotated[
        list[str] | None,
        Option("--set", help=f"A setting: lr=0.1. Of: {', '.join(Config.types())}."),
    ] = None,
    model: Annotated[str | None, Option(help="Target model: a folder or a hub id.")] = None,
    retrained: Annotated[str | None, Option(help="Retrained model, the reference of PrivLeak.")] = None,
    protocol: Annotated[str, Option(help=f"Scoring protocol: {', '.join(PROTOCOLS)}.")] = "muse",
    out: Annotated[
        str | None,
        Option(help="Folder for weights and outputs; default one for each run in ~/lethe-results/single."),
    ] = None,
    resume: Annotated[bool, Option("--resume", help="Go on with this very run where it was interrupted.")] = False,
    json_: Annotated[bool, Option("--json", help="Print the scores as JSON; progress goes to standard error.")] = False,
) -> None:
    """Run one mean-teacher configuration, and print its scores before and after."""
    preset = find_preset(benchmark)
    config = checks.check_settings(set_ or [], preset=preset.settings)
    task, _ = check_task(benchmark, model, retrained, protocol)
    checks.check_texts([config], task.benchmark)
    place = checks.check_folder_to_write("--out", out or RESULTS)
    folder = place if out else None
    if folder:
        check_folder(folder, RunFile.of(task, config), resume=resume)
    console = open_console(stderr=json_)
    for note in preset.notes(set_ or []):
        console.print(f"note: {note}", soft_wrap=True, highlight=False)
    for name, value in ALLOCATOR.items():
        os.environ.setdefault(name, value)
    # torch takes seconds to load: not before the input is known to be good.
    from lethe_cli.single import run_single

    outcome = run_single(task, config, folder, console, go_on=resume)
    if json_:
        print(json.dumps(outcome, indent=2))
    if "failure" in outcome:
        raise typer.Exit(1)
