"""A search as its user asked for it, checked: everything that is known before torch or Ray is loaded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage

from lethe.fronts.objectives import Constraint, Objective, describe, describe_constraints
from lethe.search.rule import DEFAULT, NONE, STOP, Rule
from lethe.search.space import Space, join, part
from lethe.store.facts import SPLIT, Facts, load_facts
from lethe.store.optuna_tables import study_names
from lethe.store.storage import check_writable, open_storage
from lethe.store.urls import RESULTS, default_storage
from lethe_cli import checks
from lethe_cli.effects import Tried, check_effects
from lethe_cli.flags import RunFlags, SearchFlags, StudyFlags, TuneFlags
from lethe_cli.objectives import asked_stresses, check_guard, choose_constraints, choose_objectives
from lethe_cli.presets import find_preset
from lethe_cli.spaces import check_bases, check_methods, check_spaces, corners, ends_of, lacking
from lethe_cli.surroundings import check_cache, check_sockets
from trainables.benchmarks import BENCHMARKS, default_cache, find_source
from trainables.benchmarks.corpus import corpus_hash
from trainables.folders import expanded
from trainables.methods import METHODS, find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.probes.robustness import robustness_scores
from trainables.settings import NOTHING, Descent, Settings
from trainables.task import Task

LARGEST_SEED = 2**31 - 1
CONSTRAINTS = "constraints"  # in a study's facts: what was asked to hold besides the guard, as it was
STARTABLE = ("space", "settings", "objectives", CONSTRAINTS, "sampler", "seed", STOP)  # a new study knows all the same


@dataclass(frozen=True, kw_only=True)
class Request:
    """A study's flags as they were given, and what follows from them."""

    flags: StudyFlags
    task: Task
    name: str
    space: Space
    base: Settings  # the settings that are not searched; of several methods, those of the first
    others: tuple[Settings, ...] = ()  # of the methods that are searched beside it
    objectives: tuple[Objective, ...]
    guard: dict[str, float]  # score -> how much of it, as `check_guard` says
    constraints: tuple[Constraint, ...] = ()  # what else was asked to hold
    notes: tuple[str, ...]  # what the user should know before the search starts
    trials: int
    workers: range  # of one trial: from the least to the most
    gpus: float  # of one worker
    sampler: str
    stop: Rule | None = None  # when trials are stopped before their end
    repeats: int = 0  # runs of a recipe of the front with other seeds, at most
    seed: int
    storage: str
    results: str  # folder or URL of all studies' weights and outputs, each study's below a folder of its own
    home: Path  # of Ray's own files, on this machine

    @property
    def cpus(self) -> float:
        """CPUs of one worker."""
        return self.flags.cpus_per_worker

    @property
    def bases(self) -> dict[str, Settings]:
        """The settings that are not searched, by method."""
        return {settings.method: settings for settings in (self.base, *self.others)}

    def corners(self) -> list[Settings]:
        """Of every method, configurations with each end and each choice of what is searched."""
        return [c for name, base in self.bases.items() for c in corners(base, part(self.space, name))]

    @property
    def score_batch(self) -> int:
        """Prompts or texts scored at once where it is not said by a trial: the least that is."""
        return min(settings.score_batch for settings in self.bases.values())

    def known(self) -> dict[str, Any]:
        """Its fields, for a request that is made from it."""
        return {field.name: getattr(self, field.name) for field in fields(Request)}

    def searches(self) -> "Sequence[Request]":
        """The searches that come before it, each a study of its own: none."""
        return []

    def about(self) -> dict[str, Any]:
        """What has to be the same for a study to be gone on with."""
        own = {s.unrelated_texts for s in self.bases.values() if isinstance(s, Descent) and s.unrelated_texts}
        constraints = {CONSTRAINTS: describe_constraints(self.constraints)} if self.constraints else {}
        texts = {"unrelated texts": ", ".join(map(corpus_hash, sorted(own)))} if own else {}
        return (
            constraints
            | texts
            | (self.stop.about() if self.stop else {})
            | {
                "benchmark": self.task.benchmark,
                "model": self.task.model,
                "retrained": self.task.retrained,
                "protocol": self.task.protocol,
                SPLIT: self.task.split,
                "method": ",".join(self.bases),
                "space": json.loads(json.dumps(self.space)),  # as it comes back from the store
                "settings": {m: asdict(s) for m, s in self.bases.items()} if self.others else asdict(self.base),
            }
        )


def check_task(flags: RunFlags, stresses: tuple[str, ...] = ()) -> tuple[Task, dict[str, str]]:
    """Return the task and the scores that it can give, under stresses too; ValueError as in `checks`."""
    rows = checks.check_benchmark(flags.benchmark)
    checks.check_truths(rows, checks.check_protocol(flags.protocol))
    model = checks.check_model(flags.model, "--model")
    retrained = checks.check_model(flags.retrained, "--retrained")
    named = BENCHMARKS.get(flags.benchmark)
    checks.check_hub_models(named, model, retrained)
    if model is None and (named is None or named.target is None):
        raise ValueError(f"benchmark {flags.benchmark!r} names no target model: give one with --model")
    available = checks.available_scores(
        rows, retrained=bool(retrained or (named and named.retrained)), beside=robustness_scores(stresses)
    )
    task = Task(
        benchmark=flags.benchmark if named else find_source(flags.benchmark).data,
        model=model,
        retrained=retrained,
        protocol=flags.protocol,
        split=isinstance(flags, SearchFlags) and flags.split,  # a run or an ablation chooses nothing by its scores
        stresses=stresses,
        cache=str(check_cache(default_cache())),
    )
    return task, available


def check_study(request: Request) -> Request:
    """Return a request whose store opens, and whose study is new or the same one to be gone on with.

    ValueError where a study of this name exists without `--resume`, or was asked for with other flags.
    """
    storage = open_storage(request.storage)
    check_writable(request.storage)
    if request.name not in study_names(request.storage):
        return request
    if not request.flags.resume:
        raise ValueError(f"study {request.name!r} exists: go on with --resume, or choose another --name")
    if isinstance(request.flags, SearchFlags) and request.flags.stop is None:
        request = replace(request, stop=Rule.of(facts_of(request.name, storage).about))
    check_same(request, storage)
    return request


def facts_of(study: str, storage: RDBStorage) -> Facts:
    """The facts of a study of a store; raises as `load_facts`."""
    return load_facts(optuna.load_study(study_name=study, storage=storage))


def check_same(request: Request, storage: RDBStorage) -> None:
    """ValueError where the study of a request's name was asked for with other flags."""
    stored = facts_of(request.name, storage)
    there = {**older(stored.about), **asked_of(stored, stored.about)}
    about = request.about()
    for what, value in {**about, **asked_of(request, about)}.items():
        if there.get(what) != value:
            instead = f"go on with --{'' if there[SPLIT] else 'no-'}split, or " if what == SPLIT else ""
            again = what in STARTABLE and isinstance(request.flags, TuneFlags)
            way = f", and --start-from {request.name} for what it knows" if again else ""
            raise ValueError(
                f"study {request.name!r} has {what} {there.get(what)}, not {value}: {instead}choose another --name{way}"
            )


def older(about: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a study as it would be stored today: with the settings that came later, at their defaults."""
    about = {SPLIT: False, **about}
    method, settings = about.get("method", MeanTeacher.method), about.get("settings", {})
    if "," in method:
        return {**about, "settings": {name: _defaults(name) | own for name, own in settings.items()}}
    return {**about, "method": method, "settings": _defaults(method) | settings}


def _defaults(method: str) -> dict[str, Any]:
    return find_method(method).settings.defaults() if method in METHODS else {}


def asked_of(study: Request | Facts, about: Mapping[str, Any]) -> dict[str, Any]:
    """How a study is searched, and for what."""
    asked = {"seed": study.seed, "sampler": study.sampler, "objectives": describe(study.objectives)}
    rule = Rule.of(about)
    return asked | {CONSTRAINTS: about.get(CONSTRAINTS, "the guard alone"), STOP: rule.name if rule else NONE}


def make_request(flags: TuneFlags) -> Request:
    """Check a search's flags and return what they ask for; ValueError, in one line, for the first that is wrong.

    None, for the space, workers and GPUs, is what the benchmark's preset says, or `1m`, 1 and 0.
    """
    checks.check_cpus()
    checks.check_count("--trials", flags.trials)
    methods, size = check_methods(flags.method), flags.space or find_preset(flags.benchmark).size
    spaces = check_spaces(methods, size, flags.ranges, flags.choices)
    request = gather_request(flags, spaces, trials=flags.trials, sampler=flags.sampler, seed=flags.seed)
    request = replace(request, stop=Rule.named(flags.stop or DEFAULT), repeats=check_repeats(flags.repeats, request))
    for settings in (tried := request.corners()):
        checks.check_sharing(settings, request.workers, request.gpus)
    checks.check_texts(tried, request.task.benchmark)
    tried_of = {name: Tried(base, ends_of(spaces[name])) for name, base in request.bases.items()}
    notes = [
        *lacking((*flags.ranges, *flags.choices), methods),
        *check_effects((*flags.settings, *flags.ranges, *flags.choices), tried_of),
        *unlearned(methods, flags.sampler),
        *alike(request),
        *request.notes,
    ]
    request = replace(request, notes=tuple(dict.fromkeys(notes)))
    return check_study(request)


def unlearned(methods: Sequence[str], sampler: str) -> list[str]:
    """A note where a sampler learns nothing of what not all trials have."""
    if len(methods) == 1 or sampler in ("tpe", "random"):
        return []
    return [f"{sampler} breeds the choice of a method alone, and draws its settings at random: tpe learns both"]


def check_repeats(repeats: int, request: Request) -> int:
    """The repeats of a recipe; ValueError where other seeds are none, run out, or would change nothing."""
    if repeats < 0:
        raise ValueError(f"--repeats is {repeats}: it must be a number of runs, or 0 for none")
    if repeats == 0:
        return 0
    if any(name.rpartition(".")[2] == "seed" for name in request.space):
        raise ValueError(f"--repeats {repeats} runs recipes with other seeds, and the seed is searched: leave one out")
    last = max(base.seed for base in request.bases.values()) + repeats
    if last > LARGEST_SEED:
        raise ValueError(f"--repeats {repeats} needs seeds up to {last}: {LARGEST_SEED} is the largest")
    if all(map(seedless, request.bases.values())):
        named = ", ".join(request.bases)
        raise ValueError(f"--repeats {repeats} is of no effect: {named} draws nothing, and all its runs are the same")
    return repeats


def seedless(settings: Settings) -> bool:
    """Whether a run of a method draws nothing by its seed: no weight moves."""
    return find_method(settings.method).needs(settings).trainable == NOTHING


def alike(request: Request) -> list[str]:
    """A note where repeats of one of several methods show nothing."""
    same = [name for name, base in request.bases.items() if request.repeats and seedless(base)]
    return [f"repeats of {', '.join(same)} are all the same: nothing of it is drawn"] if same else []


def gather_request(flags: StudyFlags, spaces: Mapping[str, Space], *, trials: int, sampler: str, seed: int) -> Request:
    """What searches and ablations have in common: flags checked, but for the spaces by method and the store."""
    presets = {method: find_preset(flags.benchmark, method) for method in spaces}
    preset = next(iter(presets.values()))  # workers and GPUs are the same for all
    gpus = preset.gpus if flags.gpus_per_worker is None else flags.gpus_per_worker
    check_sockets()
    if flags.concurrent is not None:
        checks.check_count("--concurrent", flags.concurrent)
    checks.check_worker(flags.cpus_per_worker, gpus)
    workers = checks.check_workers(flags.workers or str(preset.workers), flags.cpus_per_worker)
    checks.check_sampler(sampler)
    (base, *others), told = check_bases(flags.settings, spaces, presets)
    checks.check_sharing(base, workers, gpus)
    stresses = asked_stresses(flags.objectives, flags.constraints)
    checks.check_stresses(stresses, workers)
    task, available = check_task(flags, stresses)
    objectives, notes = choose_objectives(flags.objectives, available)
    constraints = choose_constraints(flags.constraints, objectives, available)
    name = checks.check_name(flags.name, flags.benchmark)
    results = checks.check_storage_path(flags.storage_path or RESULTS)
    home = expanded(RESULTS) if "://" in results else Path(results)
    return Request(
        flags=flags,
        task=task,
        name=name,
        space=join(spaces),
        base=base,
        others=tuple(others),
        objectives=tuple(objectives),
        guard=check_guard(available, constraints),
        constraints=constraints,
        notes=(*told, *notes),
        trials=trials,
        workers=workers,
        gpus=gpus,
        sampler=sampler,
        seed=seed,
        storage=flags.storage or default_storage(str(home)),
        results=results,
        home=home,
    )
