"""A search as its user asked for it, checked: everything that is known before torch or Ray is loaded."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna

from lethe.fronts.objectives import Objective, describe
from lethe.search.space import Space
from lethe.store.facts import load_facts
from lethe.store.optuna_tables import study_names
from lethe.store.storage import RESULTS, check_writable, default_storage, open_storage
from lethe_cli import checks
from lethe_cli.presets import find_preset
from lethe_cli.surroundings import check_cache, check_sockets
from search_spaces.mean_teacher import SPACES
from search_spaces.objectives import UTILITY_GUARD
from trainables.benchmarks import BENCHMARKS, EMBEDDED, default_cache, find_source
from trainables.benchmarks.corpus import corpus_hash
from trainables.config import Config
from trainables.folders import expanded
from trainables.task import Task


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is searched, for what, how long, and where it is kept."""

    task: Task
    name: str
    space: Space
    base: Config  # the settings that are not searched
    objectives: tuple[Objective, ...]
    guard: dict[str, float]  # score -> share of the target's that a point has to keep
    notes: tuple[str, ...]  # what the user should know before the search starts
    trials: int
    concurrent: int | None
    workers: range  # of one trial: from the least to the most
    cpus: float  # of one worker
    gpus: float
    sampler: str
    seed: int
    storage: str
    results: str  # folder or URL of all studies' weights and outputs, each study's below a folder of its own
    home: Path  # of Ray's own files, on this machine
    resume: bool

    def searches(self) -> "list[Request]":
        """The searches that come before it, each a study of its own: none."""
        return []

    def about(self) -> dict[str, Any]:
        """What has to be the same for a study to be gone on with."""
        own = self.base.unrelated_texts
        return ({"unrelated texts": corpus_hash(own)} if own else {}) | {
            "benchmark": self.task.benchmark,
            "model": self.task.model,
            "retrained": self.task.retrained,
            "protocol": self.task.protocol,
            "space": json.loads(json.dumps(self.space)),  # as it comes back from the store
            "settings": asdict(self.base),
        }


def check_task(benchmark: str, model: str | None, retrained: str | None, protocol: str) -> tuple[Task, dict[str, str]]:
    """Return the task and the scores that it can give; ValueError as in `checks`."""
    rows = checks.check_benchmark(benchmark)
    checks.check_truths(rows, checks.check_protocol(protocol))
    model = checks.check_model(model, "--model")
    retrained = checks.check_model(retrained, "--retrained")
    named = BENCHMARKS.get(benchmark)
    checks.check_hub_models(named, model, retrained)
    if model is None and (named is None or named.target is None):
        raise ValueError(f"benchmark {benchmark!r} names no target model: give one with --model")
    available = checks.available_scores(rows, retrained=bool(retrained or (named and named.retrained)))
    task = Task(
        benchmark=benchmark if named else find_source(benchmark).data,
        model=model,
        retrained=retrained,
        protocol=protocol,
        cache=str(check_cache(default_cache())),
    )
    return task, available


def check_guard(available: dict[str, str]) -> dict[str, float]:
    """The guard on general utility, where the benchmark can measure it."""
    return {score: share for score, share in UTILITY_GUARD.items() if not available[score]}


def check_study(request: Request) -> Request:
    """Return a request whose store opens, and whose study is new or the same one to be gone on with.

    ValueError where a study of this name exists without `--resume`, or was asked for with other flags.
    """
    storage = open_storage(request.storage)
    check_writable(request.storage)
    if request.name not in study_names(request.storage):
        return request
    if not request.resume:
        raise ValueError(f"study {request.name!r} exists: go on with --resume, or choose another --name")
    stored = load_facts(optuna.load_study(study_name=request.name, storage=storage))
    there = {**stored.about, "seed": stored.seed, "sampler": stored.sampler, "objectives": describe(stored.objectives)}
    asked = {"seed": request.seed, "sampler": request.sampler, "objectives": describe(request.objectives)}
    for what, value in {**request.about(), **asked}.items():
        if there.get(what) != value:
            raise ValueError(f"study {request.name!r} has {what} {there.get(what)}, not {value}: choose another --name")
    return request


def make_request(
    *,
    benchmark: str,
    model: str | None,
    retrained: str | None,
    protocol: str,
    space: str | None,
    ranges: Sequence[str],
    settings: Sequence[str],
    objectives: str | None,
    trials: int,
    concurrent: int | None,
    workers: str | None,
    cpus: float,
    gpus: float | None,
    sampler: str,
    seed: int,
    name: str | None,
    storage: str | None,
    folder: str | None,
    resume: bool,
) -> Request:
    """Check a search's flags and return what they ask for; ValueError, in one line, for the first that is wrong.

    None, for the space, workers and GPUs, is what the benchmark's preset says, or `mean-teacher`, 1 and 0.
    """
    checks.check_cpus()
    checks.check_trials(trials)
    chosen = checks.check_space(SPACES, space or find_preset(benchmark).space, ranges)
    request = gather_request(
        benchmark=benchmark,
        model=model,
        retrained=retrained,
        protocol=protocol,
        space=chosen,
        settings=settings,
        objectives=objectives,
        trials=trials,
        concurrent=concurrent,
        workers=workers,
        cpus=cpus,
        gpus=gpus,
        sampler=sampler,
        seed=seed,
        name=name,
        storage=storage,
        folder=folder,
        resume=resume,
    )
    checks.check_texts([request.base], request.task.benchmark)
    return check_study(request)


def gather_request(
    *,
    benchmark: str,
    model: str | None,
    retrained: str | None,
    protocol: str,
    space: Space,
    settings: Sequence[str],
    objectives: str | None,
    trials: int,
    concurrent: int | None,
    workers: str | None,
    cpus: float,
    gpus: float | None,
    sampler: str,
    seed: int,
    name: str | None,
    storage: str | None,
    folder: str | None,
    resume: bool,
) -> Request:
    """What searches and ablations have in common: flags checked, but for the space and the store."""
    preset = find_preset(benchmark)
    gpus = preset.gpus if gpus is None else gpus
    check_sockets()
    checks.check_concurrent(concurrent)
    checks.check_worker(cpus, gpus)
    group = checks.check_workers(workers or str(preset.workers), cpus)
    checks.check_sampler(sampler)
    base = checks.check_settings(settings, searched=space, preset=preset.settings)
    checks.check_sharing(base.parallel, group, gpus)
    task, available = check_task(benchmark, model, retrained, protocol)
    goals, notes = checks.choose_objectives(objectives, available)
    name = checks.check_name(name, benchmark)
    results = checks.check_storage_path(folder or RESULTS)
    home = expanded(RESULTS) if "://" in results else Path(results)
    return Request(
        task=task,
        name=name,
        space=space,
        base=base,
        objectives=tuple(goals),
        guard=check_guard(available),
        notes=(*preset.notes(settings, space), *notes),
        trials=trials,
        concurrent=concurrent,
        workers=group,
        cpus=cpus,
        gpus=gpus,
        sampler=sampler,
        seed=seed,
        storage=storage or default_storage(str(home)),
        results=results,
        home=home,
        resume=resume,
    )


DEFAULT_BENCHMARK = EMBEDDED
