"""The flags of the commands that plan, run, search and ablate: each stands once, with its type, default and help text.

A command's flags are a frozen dataclass, joined by inheritance from what it shares with others. `command` makes
Typer's parameters from it, and the object travels whole from the command line to the run.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from lethe.search.rule import DEFAULT, HALVING, NONE, SETTLED
from lethe.search.samplers import SAMPLERS
from lethe.store.urls import VARIABLE
from search_spaces.methods import LARGE, SMALL, designs_of, switches_of
from trainables.benchmarks import BENCHMARKS, EMBEDDED
from trainables.methods import METHODS
from trainables.methods.mean_teacher import MeanTeacher
from trainables.scores.protocol import PROTOCOLS

Option = typer.Option
Texts = tuple[str, ...]  # of a flag that may be given several times
METHOD = MeanTeacher.method  # where none is said


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What every command here has: settings, and its outcome as JSON."""

    # Help texts by field, of inherited flags that mean something of their own in this command.
    HELP: ClassVar[dict[str, str]] = {}
    # The fields that a command's help begins with; the others follow as they are defined, those of LAST at the end.
    FIRST: ClassVar[Texts] = ()
    LAST: ClassVar[Texts] = ("resume", "as_json")

    method: Annotated[str, Option(help=f"How to unlearn: {', '.join(METHODS)}; see `lethe methods`.")] = (
        MeanTeacher.method
    )
    settings: Annotated[Texts, Option("--set")] = ()
    as_json: Annotated[bool, Option("--json")] = False


@dataclass(frozen=True, kw_only=True)
class PlanFlags(Flags):
    """Of `lethe plan`: a model, and the hardware that is not here."""

    HELP: ClassVar = {
        "settings": "A setting of the run: parallel=fsdp.",
        "as_json": "Print the plan as JSON, in bytes.",
    }
    FIRST = ("benchmark", "model", "method")

    benchmark: Annotated[str | None, Option(help="A benchmark by name: its model and its preset.")] = None
    model: Annotated[str | None, Option(help="Folder or hub id; only its config.json is read.")] = None
    workers: Annotated[int | None, Option(help="Workers of a trial, one GPU each; default: the preset's, or 1.")] = None
    gpu_memory: Annotated[float | None, Option(help="GiB of one GPU; a run that does not fit is refused.")] = None
    host_memory: Annotated[float | None, Option(help="GiB of a node's host memory; the same.")] = None
    gpus_per_node: Annotated[int, Option(help="GPUs of one node.")] = 8


@dataclass(frozen=True, kw_only=True)
class RunFlags(Flags):
    """What is unlearned, and how it is scored."""

    benchmark: Annotated[str, Option(help=f"{', '.join(BENCHMARKS)}, a folder of MUSE's layout, or a hub id.")] = (
        EMBEDDED
    )
    model: Annotated[str | None, Option(help="Target model: a folder or a hub id.")] = None
    retrained: Annotated[str | None, Option(help="Retrained model, the reference of PrivLeak.")] = None
    protocol: Annotated[str, Option(help=f"Scoring protocol: {', '.join(PROTOCOLS)}.")] = "muse"
    resume: Annotated[bool, Option("--resume")] = False


@dataclass(frozen=True, kw_only=True)
class TrainFlags(RunFlags):
    """Of `lethe train`: one run."""

    HELP: ClassVar = {
        "settings": f"A setting: lr=0.1. Of the mean teacher: {', '.join(MeanTeacher.types())}.",
        "resume": "Go on with this very run where it was interrupted.",
        "as_json": "Print the scores as JSON; progress goes to standard error.",
    }
    FIRST = ("benchmark", "method", "settings")

    out: Annotated[
        str | None, Option(help="Folder for weights and outputs; default one for each run in ~/lethe-results/single.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class StudyFlags(RunFlags):
    """A study: what it is judged by, where its trials run, and where it is kept."""

    objectives: Annotated[str | None, Option(help="Scores, optionally with a goal: verbmem_f,utility:maximize.")] = None
    constraints: Annotated[
        Texts,
        Option(
            "--constrain",
            help="What must hold besides the guard, by the score's goal at least, at most or within: knowmem_r:80.",
        ),
    ] = ()
    concurrent: Annotated[int | None, Option()] = None
    workers: Annotated[str | None, Option()] = None
    cpus_per_worker: Annotated[float, Option(help="CPUs of one worker.")] = 1
    gpus_per_worker: Annotated[float | None, Option()] = None
    name: Annotated[str | None, Option()] = None
    storage: Annotated[str | None, Option(envvar=VARIABLE, help="Study store: sqlite:///FILE or a PostgreSQL URL.")] = (
        None
    )
    storage_path: Annotated[str | None, Option(help="Folder for weights and outputs; default ~/lethe-results.")] = None


@dataclass(frozen=True, kw_only=True)
class SearchFlags(StudyFlags):
    """What is searched, and how."""

    space: Annotated[
        str | None,
        Option(help=f"Search space, for models of a size: {SMALL}, {LARGE}; default: the preset's, or {SMALL}."),
    ] = None
    ranges: Annotated[
        Texts, Option("--range", help="A range of its own, log-uniform but for whole numbers: lr=0.01:0.5.")
    ] = ()
    choices: Annotated[
        Texts, Option("--choose", help="Values of its own, of words and numbers alike: optimizer=sgd,adamw.")
    ] = ()
    sampler: Annotated[str, Option(help=f"{', '.join(SAMPLERS)}.")] = "tpe"
    stop: Annotated[
        str | None,
        Option(
            help=f"{NONE}; {SETTLED}: end trials that collapsed, are stuck or good enough; {HALVING}: and those that "
            f"others are ahead of; default: {DEFAULT}, or that of a study that goes on."
        ),
    ] = None
    split: Annotated[
        bool, Option("--split/--no-split", help="Half of the items choose, half report; else all do both.")
    ] = True


@dataclass(frozen=True, kw_only=True)
class TuneFlags(SearchFlags):
    """Of `lethe tune`: a search."""

    HELP: ClassVar = {
        "settings": "A setting that is not searched: steps=60.",
        "concurrent": "Trials at once; default: as many as fit.",
        "workers": (
            "Ray Train workers of a trial: N, or LEAST:MOST to outlive lost nodes; default: the preset's, or 1."
        ),
        "gpus_per_worker": "GPUs of one worker; fractions share one; default: the preset's, or 0.",
        "name": "The study's name; default: the benchmark's.",
        "resume": "Go on with the study of this name, if there is one.",
        "as_json": "Print the front as JSON; progress goes to standard error.",
    }
    FIRST = (
        *("benchmark", "method", "trials", "model", "retrained", "objectives", "constraints"),
        *("space", "ranges", "choices", "settings", "sampler", "stop", "protocol", "split", "seed", "start_from"),
        *("repeats", "audit"),
    )

    start_from: Annotated[
        str | None,
        Option(
            help="A study that is known already, in the same store or as STORAGE_URL#STUDY: told, or its best queued."
        ),
    ] = None
    trials: Annotated[int, Option(help="Trials in all, those of an earlier run of the study included.")] = 16
    seed: Annotated[int, Option(help="Seed of the suggestions.")] = 0
    repeats: Annotated[
        int, Option(help="Runs with other seeds of each recipe that is or may be on the front, at most, at the end.")
    ] = 0
    audit: Annotated[
        Texts, Option(help="Probes that the front is put under at the end, as by `lethe audit`: quant:nf4,relearn_in.")
    ] = ()


@dataclass(frozen=True, kw_only=True)
class ArenaFlags(SearchFlags):
    """Of `lethe arena`: a search for each method and seed, all with the same budget."""

    HELP: ClassVar = {
        "settings": "A setting of every entrant that has it: steps=60.",
        "concurrent": "Trials at once, of all entrants; default: as many as fit.",
        "workers": "Ray Train workers of a trial: N, or LEAST:MOST.",
        "gpus_per_worker": "GPUs of one worker; fractions share one.",
        "name": "The arena's name; default: the benchmark's with -arena.",
        "resume": "Go on with the arena of this name, if there is one.",
        "as_json": "Print the table as JSON; progress goes to standard error.",
    }
    FIRST = (
        *("benchmark", "method", "trials", "budget", "seeds", "model", "retrained", "objectives", "constraints"),
        *("space", "ranges", "choices", "settings", "sampler", "stop", "protocol", "split"),
    )

    method: Annotated[str, Option("--methods", help="all, or some: npo_gdr,rmu; see `lethe methods`.")] = "all"
    trials: Annotated[
        int | None,
        Option(help="The budget of each: what so many trials of the mean teacher cost, 6 if nothing is said."),
    ] = None
    budget: Annotated[
        float | None, Option(help="The budget itself: forward passes of a sequence; a backward pass counts two.")
    ] = None
    seeds: Annotated[int, Option(help="Searches of each, all entrants with the same seeds: 0, 1, ...")] = 3


@dataclass(frozen=True, kw_only=True)
class AblateFlags(StudyFlags):
    """Of `lethe ablate`: every arm of a design with every seed."""

    HELP: ClassVar = {
        "settings": "A setting that all arms share: steps=60.",
        "concurrent": "Runs at once; default: as many as fit.",
        "workers": "Ray Train workers of a run: N, or LEAST:MOST.",
        "gpus_per_worker": "GPUs of one worker; fractions share one.",
        "name": "The study's name; default: the benchmark's and the design's.",
        "resume": "Go on with the ablation of this name, if there is one.",
        "as_json": "Print the effects as JSON; progress goes to standard error.",
    }
    FIRST = (
        *("benchmark", "method", "design", "switches", "generators", "seeds", "first_seed", "tuned"),
        *("model", "retrained", "objectives", "constraints", "settings"),
    )

    design: Annotated[str, Option(help=f"{', '.join(designs_of(METHOD))}.")] = "loco"
    switches: Annotated[
        Texts,
        Option(
            "--switch",
            help="Switches in the place of the design's: penalty=kl,qkl, or penalty. Of the mean teacher: "
            f"{', '.join(switches_of(METHOD)[SMALL])}.",
        ),
    ] = ()
    generators: Annotated[Texts, Option(help="Of a fractional design with --switch: D=ABC.")] = ()
    seeds: Annotated[int, Option(help="Runs of every arm, all arms with the same seeds.")] = 5
    first_seed: Annotated[int, Option(help="The smallest of the seeds.")] = 0
    tuned: Annotated[int, Option(help="Search rates for every arm first, with this many trials each.")] = 0
