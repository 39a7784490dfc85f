"""`lethe tune`, and `python platform/tune_mt.py`: search mean-teacher unlearning, and show the front."""

import json
import sys
from typing import Annotated, Any

import typer

from lethe.display.progress import open_console
from lethe.search.samplers import SAMPLERS
from lethe_cli.request import DEFAULT_BENCHMARK, make_request
from search_spaces.mean_teacher import SPACES
from trainables.benchmarks import BENCHMARKS
from trainables.scores.protocol import PROTOCOLS

Option = typer.Option


def tune(
    benchmark: Annotated[
        str, Option(help=f"{', '.join(BENCHMARKS)}, a folder of MUSE's layout, or a hub id.")
    ] = DEFAULT_BENCHMARK,
    trials: Annotated[int, Option(help="Trials in all, those of an earlier run of the study included.")] = 16,
    model: Annotated[str | None, Option(help="Target model: a folder or a hub id.")] = None,
    retrained: Annotated[str | None, Option(help="Retrained model, the reference of PrivLeak.")] = None,
    objectives: Annotated[
        str | None, Option(help="Scores, optionally with a goal: verbmem_f,utility:maximize.")
    ] = None,
    space: Annotated[
        str | None, Option(help=f"Search space: {', '.join(SPACES)}; default: the preset's, or the first.")
    ] = None,
    range_: Annotated[list[str] | None, Option("--range", help="A log-uniform range of its own: lr=0.01:0.5.")] = None,
    set_: Annotated[list[str] | None, Option("--set", help="A setting that is not searched: steps=60.")] = None,
    sampler: Annotated[str, Option(help=f"{', '.join(SAMPLERS)}.")] = "tpe",
    protocol: Annotated[str, Option(help=f"Scoring protocol: {', '.join(PROTOCOLS)}.")] = "muse",
    seed: Annotated[int, Option(help="Seed of the suggestions.")] = 0,
    concurrent: Annotated[int | None, Option(help="Trials at once; default: as many as fit.")] = None,
    workers: Annotated[
        str | None,
        Option(
            help="Ray Train workers of a trial: N, or LEAST:MOST to outlive lost nodes; default: the preset's, or 1."
        ),
    ] = None,
    cpus_per_worker: Annotated[float, Option(help="CPUs of one worker.")] = 1,
    gpus_per_worker: Annotated[
        float | None, Option(help="GPUs of one worker; fractions share one; default: the preset's, or 0.")
    ] = None,
    name: Annotated[str | None, Option(help="The study's name; default: the benchmark's.")] = None,
    storage: Annotated[
        str | None, Option(envvar="LETHE_STORAGE", help="Study store: sqlite:///FILE or a PostgreSQL URL.")
    ] = None,
    storage_path: Annotated[str | None, Option(help="Folder for weights and outputs; default ~/lethe-results.")] = None,
    resume: Annotated[bool, Option("--resume", help="Go on with the study of this name, if there is one.")] = False,
    json_: Annotated[bool, Option("--json", help="Print the front as JSON; progress goes to standard error.")] = False,
) -> None:
    """Search EMA rate, NLUL weight and learning rate against the MUSE scores, and print the Pareto front."""
    request = make_request(
        benchmark=benchmark,
        model=model,
        retrained=retrained,
        protocol=protocol,
        space=space,
        ranges=range_ or [],
        settings=set_ or [],
        objectives=objectives,
        trials=trials,
        concurrent=concurrent,
        workers=workers,
        cpus=cpus_per_worker,
        gpus=gpus_per_worker,
        sampler=sampler,
        seed=seed,
        name=name,
        storage=storage,
        folder=storage_path,
        resume=resume,
    )
    # Ray and torch take seconds to load: not before the input is known to be good.
    from lethe_cli.search import run_search

    outcome = run_search(request, open_console(stderr=json_))
    if json_:
        json.dump(outcome, sys.stdout, indent=2, default=_plain)
        print()
    if outcome["interrupted"]:
        raise typer.Exit(130)
    if outcome["failure"]:
        raise typer.Exit(1)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's, for JSON."""
    return value.item() if hasattr(value, "item") else str(value)
