"""`lethe ablate`, and `python platform/ablate_mt.py`: what each part contributes, and how sure that is."""

import json
import sys
from typing import Annotated

import typer

from lethe.display.progress import open_console
from lethe_cli.ablation_request import make_ablation
from lethe_cli.request import DEFAULT_BENCHMARK
from search_spaces.ablations import DESIGNS, SWITCHES
from trainables.benchmarks import BENCHMARKS
from trainables.scores.protocol import PROTOCOLS

Option = typer.Option


def ablate(
    benchmark: Annotated[
        str, Option(help=f"{', '.join(BENCHMARKS)}, a folder of MUSE's layout, or a hub id.")
    ] = DEFAULT_BENCHMARK,
    design: Annotated[str, Option(help=f"{', '.join(DESIGNS)}.")] = "loco",
    switch: Annotated[
        list[str] | None,
        Option(help=f"Switches in the place of the design's: penalty=kl,qkl, or penalty. Of: {', '.join(SWITCHES)}."),
    ] = None,
    generators: Annotated[list[str] | None, Option(help="Of a fractional design with --switch: D=ABC.")] = None,
    seeds: Annotated[int, Option(help="Runs of every arm, all arms with the same seeds.")] = 5,
    first_seed: Annotated[int, Option(help="The smallest of the seeds.")] = 0,
    tuned: Annotated[int, Option(help="Search rates for every arm first, with this many trials each.")] = 0,
    model: Annotated[str | None, Option(help="Target model: a folder or a hub id.")] = None,
    retrained: Annotated[str | None, Option(help="Retrained model, the reference of PrivLeak.")] = None,
    objectives: Annotated[
        str | None, Option(help="Scores, optionally with a goal: verbmem_f,utility:maximize.")
    ] = None,
    set_: Annotated[list[str] | None, Option("--set", help="A setting that all arms share: steps=60.")] = None,
    protocol: Annotated[str, Option(help=f"Scoring protocol: {', '.join(PROTOCOLS)}.")] = "muse",
    concurrent: Annotated[int | None, Option(help="Runs at once; default: as many as fit.")] = None,
    workers: Annotated[str | None, Option(help="Ray Train workers of a run: N, or LEAST:MOST.")] = None,
    cpus_per_worker: Annotated[float, Option(help="CPUs of one worker.")] = 1,
    gpus_per_worker: Annotated[float | None, Option(help="GPUs of one worker; fractions share one.")] = None,
    name: Annotated[str | None, Option(help="The study's name; default: the benchmark's and the design's.")] = None,
    storage: Annotated[
        str | None, Option(envvar="LETHE_STORAGE", help="Study store: sqlite:///FILE or a PostgreSQL URL.")
    ] = None,
    storage_path: Annotated[str | None, Option(help="Folder for weights and outputs; default ~/lethe-results.")] = None,
    resume: Annotated[bool, Option("--resume", help="Go on with the ablation of this name, if there is one.")] = False,
    json_: Annotated[
        bool, Option("--json", help="Print the effects as JSON; progress goes to standard error.")
    ] = False,
) -> None:
    """Run every arm of a design with the same seeds, and say what each part contributes and how sure that is."""
    request = make_ablation(
        benchmark=benchmark,
        design=design,
        switches=switch or [],
        generators=generators or [],
        seeds=seeds,
        first_seed=first_seed,
        tuned=tuned,
        settings=set_ or [],
        name=name,
        model=model,
        retrained=retrained,
        protocol=protocol,
        objectives=objectives,
        concurrent=concurrent,
        workers=workers,
        cpus=cpus_per_worker,
        gpus=gpus_per_worker,
        storage=storage,
        folder=storage_path,
        resume=resume,
    )
    # Ray and torch take seconds to load: not before the input is known to be good.
    from lethe_cli.ablating import run_ablation

    outcome = run_ablation(request, open_console(stderr=json_))
    if json_:
        json.dump(outcome, sys.stdout, indent=2)
        print()
    if outcome["interrupted"]:
        raise typer.Exit(130)
    if outcome["failure"]:
        raise typer.Exit(1)
