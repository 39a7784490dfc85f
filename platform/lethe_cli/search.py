"""A checked request becomes a study: reference scores, store, cluster, search."""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from importlib import metadata
from types import MappingProxyType
from typing import Any

import optuna
from optuna.storages import RDBStorage
from rich.console import Console
from rich.table import Table

from lethe.analysis import recipes
from lethe.cluster import connection as cluster
from lethe.display import front_table
from lethe.display.progress import Observer
from lethe.display.progress import Progress as SearchProgress
from lethe.search.ledger import Ledger, requeue_interrupted
from lethe.search.limits import Count, Limit
from lethe.search.repeats import Race
from lethe.search.rungs import Stopping
from lethe.search.searcher import Search
from lethe.search.study import run_searches, scratch_of
from lethe.store.facts import (
    CARDS,
    CONTENT,
    PLANNED,
    PROGRAM,
    REFERENCE_NOTES,
    SEEN_REFERENCES,
    Facts,
    load_facts,
    new_id,
)
from lethe.store.parameters import METHOD, own
from lethe.store.snapshot import Reader
from lethe.store.storage import going_on_later, open_storage, taking_turns
from lethe.store.study_folder import folder_name, study_folder
from lethe_cli.conclusion import conclude
from lethe_cli.objectives import bounds_of
from lethe_cli.plan_table import announce_plan
from lethe_cli.preparing import SHIPPED, check_sequences, prepare, warn_of_steep_floors, warn_of_unlike_texts
from lethe_cli.request import Request, check_same
from lethe_cli.starting import say_start_up, start_warm
from trainables.keys import modules_of, program_hash
from trainables.probes.robustness import robustness_scores
from trainables.scores import all_scores
from trainables.scores.references import References
from trainables.scores.references import Table as Scores
from trainables.settings import Settings
from trainables.workers.group import Workers, warm
from trainables.workers.session import make_session, trial_folder

PACKAGES = ("torch", "ray", "optuna", "transformers")


def run_search(request: Request, console: Console) -> dict[str, Any]:
    """Run a search to its end, or to Ctrl-C, and return the outcome as plain data."""
    references = begin(request, request.corners(), console)
    storage = open_storage(request.storage)
    with going_on_later(request.storage), joining(request, console) as join:
        if request.name not in optuna.get_all_study_names(storage):
            join()  # before there is a study: one that nothing can run stands in the way of the next attempt
        ledger = open_ledger(request, storage, references)
        start_warm(request, ledger, storage, console)
        left = request.trials - ledger.trials.finished()
        if left > 0:
            say_start_up(request, ledger, left, console)
            run_trials(request, ledger, join(), console)
        race = race_of(request, ledger, storage)
        if race and race.left():
            run_repeats(request, ledger, race, join(), console)
    return conclude(request, ledger, console, race)


def begin(request: Request, all_settings: Sequence[Settings], console: Console) -> References:
    """Say what there is to say of a request and of the memory it needs, and measure or read its reference scores.

    `all_settings` are what is run, or the corners of what is searched.
    """
    for note in request.notes:
        console.print(f"note: {note}", soft_wrap=True)
    announce_plan(request.task, all_settings, workers=request.workers[0], gpus=request.gpus, console=console)
    check = functools.partial(check_content, stored_content(request))
    references = prepare(request.task, all_settings, console, cpus=request.cpus, gpus=request.gpus, check=check)
    check_sequences(request.task, all_settings, references)
    warn_of_unlike_texts([o.score for o in request.objectives], references, console)
    warn_of_steep_floors(request.constraints, references, console)
    return references


def open_ledger(
    request: Request,
    storage: RDBStorage,
    references: References,
    about: Mapping[str, Any] = MappingProxyType({}),
) -> Ledger:
    """Start the study, or go on with it; of several drivers that start it at once, one does.

    `about` is stored with a new one, beside what is stored with every study.
    """
    (ledger,) = open_ledgers([request], storage, references, about)
    return ledger


def open_ledgers(
    requests: Sequence[Request],
    storage: RDBStorage,
    references: References,
    about: Mapping[str, Any] = MappingProxyType({}),
) -> list[Ledger]:
    """Start or go on with several studies; whether a driver is dead that ran trials of them is looked for once."""
    ledgers = [_start(request, storage, references, about) for request in requests]
    requeue_interrupted(ledgers)
    return ledgers


def _start(request: Request, storage: RDBStorage, references: References, about: Mapping[str, Any]) -> Ledger:
    with taking_turns(storage, f"start {request.name}"):
        there = request.name in optuna.get_all_study_names(storage)
        if not there:
            facts = make_facts(request, references)
            facts = replace(facts, about={**facts.about, **about})
            ledger = Ledger.create(storage, request.name, facts, request.space)
    if there:
        check_same(request, storage)  # another driver may have begun it meanwhile
        ledger = Ledger(storage, request.name, request.space)
        check_content(content_of(request.name, ledger.facts), references.content)
    ledger.study.set_user_attr(PLANNED, request.trials + ledger.trials.known())
    return ledger


def stored_content(request: Request) -> dict[str, str]:
    """The hashes of the texts and models that a request's own studies were made from, of those that there are."""
    storage = open_storage(request.storage)
    there = optuna.get_all_study_names(storage)
    found: dict[str, str] = {}
    for name in (request.name, *(search.name for search in request.searches())):
        if name in there:
            found |= content_of(name, load_facts(optuna.load_study(study_name=name, storage=storage)))
    return found


def content_of(name: str, facts: Facts) -> dict[str, str]:
    """The hash of the texts and models that a study was made from, by its name; empty where none was stored."""
    found = facts.about.get(CONTENT)
    return {} if found is None else {name: str(found)}


def check_content(stored: Mapping[str, str], found: str) -> None:
    """ValueError where a study was made from other texts or models than were found."""
    for name, content in stored.items():
        if content != found:
            raise ValueError(
                f"study {name!r} was made from other texts or models than lie in the same places now: choose another "
                "--name"
            )


def make_facts(request: Request, references: References) -> Facts:
    """What is stored with the study: what was asked, the reference rows, and the versions that ran."""
    guard = bounds_of(request.guard, references.target, references.retrained or {})
    rows, seen = (without_unasked(tables, judged(request)) for tables in (references.rows, references.seen))
    beside = robustness_scores(request.task.stresses)
    return Facts(
        objectives=request.objectives,
        constraints=(*guard, *request.constraints),
        sampler=request.sampler,
        seed=request.seed,
        id=new_id(),
        references=rows,
        about=request.about()
        | {
            CONTENT: references.content,
            SEEN_REFERENCES: seen,
            CARDS: [asdict(score.card) for score in (*all_scores().values(), *beside)],
            "items": references.items,
            REFERENCE_NOTES: list(references.notes),
            "versions": {name: metadata.version(name) for name in PACKAGES},
            PROGRAM: {method: program_hash(*modules_of(base)) for method, base in request.bases.items()},
        },
    )


def judged(request: Request) -> list[str]:
    """The scores that a request names: its objectives, and what it asks to hold."""
    return [*(one.score for one in request.objectives), *(one.score for one in request.constraints)]


def without_unasked(tables: Mapping[str, Scores], asked: Collection[str]) -> dict[str, Scores]:
    """Score tables by model without the scores that are measured only where they are asked for, and are not."""
    unasked = {name for name, score in all_scores().items() if score.card.on_request and name not in asked}
    return {role: {name: own for name, own in table.items() if name not in unasked} for role, table in tables.items()}


@contextmanager
def joining(request: Request, console: Console) -> Iterator[Callable[[], cluster.Cluster]]:
    """A function that returns the cluster that trials run on, which it joins when it is first called.

    ValueError from it where not even one trial fits. The cluster is left at the end of the block.
    """
    with ExitStack() as stack:

        @functools.cache
        def join() -> cluster.Cluster:
            joined = stack.enter_context(cluster.connect(SHIPPED))
            at_once(request, joined)
            note_idle_gpus(joined, request.gpus, console)
            return joined

        yield join


def at_once(request: Request, joined: cluster.Cluster) -> int:
    """How many trials run at once; ValueError where not even one fits."""
    wanted = request.flags.concurrent or request.trials
    return cluster.slots(joined, workers=request.workers[0], cpus=request.cpus, gpus=request.gpus, trials=wanted)


def run_trials(
    request: Request,
    ledger: Ledger,
    joined: cluster.Cluster,
    console: Console,
    *,
    arms: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    best: Callable[[Ledger, Request], tuple[Table, str]] | None = None,
) -> None:
    """Run the trials that are left; `best` draws what came of them so far, the front where it is not given."""
    slots = at_once(request, joined)
    progress = SearchProgress(
        console=console,
        facts=ledger.facts,
        trials=request.trials,
        done=ledger.trials.finished(),
        slots=slots,
        best=lambda: (best or _draw)(ledger, request),
    )
    search = search_of(request, ledger, Count(request.trials), progress, arms)
    with progress:
        run_together([search], request, slots)


def race_of(request: Request, ledger: Ledger, storage: RDBStorage) -> Race | None:
    """The repeats of a search; None where none are asked for, or it is not through."""
    if not request.repeats or ledger.trials.claimed() < request.trials:
        return None
    return Race(ledger, storage, Reader(request.storage, request.name, storage.engine), request.repeats)


def run_repeats(request: Request, ledger: Ledger, race: Race, joined: cluster.Cluster, console: Console) -> None:
    """Run the recipes of the front again with other seeds, as far as that decides whether they stay on it."""
    most = race.at_most()
    slots = at_once(replace(request, trials=most), joined)
    progress = SearchProgress(
        console=console,
        facts=ledger.facts,
        trials=most,
        done=race.ended(),
        slots=slots,
        best=lambda: _draw_repeated(ledger, request),
        noun="repeat",
        at_most=True,
    )
    search = replace(search_of(request, ledger, race, progress), ask=race.ask)
    with progress:
        run_together([search], request, slots)


def search_of(
    request: Request,
    ledger: Ledger,
    limit: Limit,
    observer: Observer,
    arms: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Search:
    """A study as it is run: by its settings, up to a limit, in its own folder."""
    folder = study_folder(request.results, request.name, ledger.facts.id)
    return Search(
        ledger=ledger,
        limit=limit,
        observer=observer,
        job=functools.partial(job, request.bases, folder.place, dict(arms)),
        folder=folder,
        trial=functools.partial(trial_folder, folder.place),
        stopping=Stopping.of(ledger, functools.partial(length, request.bases)),
    )


def run_together(searches: Sequence[Search], request: Request, slots: int) -> None:
    """Run studies of one task side by side, on warm workers as `request` asks for them, which all of them share."""
    least, most = request.workers[0], request.workers[-1]
    workers = Workers(count=most, least=least if least < most else None, cpus=request.cpus, gpus=request.gpus)
    first = searches[0].ledger
    scratch = scratch_of(request.home / folder_name(first.study.study_name, first.facts.id) / "ray")
    session = functools.partial(make_session, request.task, request.score_batch, judged(request))
    stops = any(search.stopping for search in searches)
    run_searches(searches, warm(session, workers, str(scratch), stops=stops), slots=slots, scratch=scratch)


def base_of(bases: Mapping[str, Settings], params: Mapping[str, Any]) -> Settings:
    """The settings of a trial's method that are not searched."""
    return bases[params[METHOD]] if METHOD in params else next(iter(bases.values()))


def job(
    bases: Mapping[str, Settings],
    folder: str,
    arms: Mapping[str, Mapping[str, Any]],
    number: int,
    params: Mapping[str, Any],
) -> dict[str, Any]:
    """What a worker is given of a trial: its folder, its method and all settings.

    Parameters replace the settings that `bases` has for the method, which is a parameter itself where there are
    several; one that is called `arm` stands for those that `arms` has for it.
    """
    base, settings = base_of(bases, params), own(params)
    arm = arms[settings.pop("arm")] if "arm" in settings else {}
    return {"folder": trial_folder(folder, number), "method": base.method, **asdict(base), **arm, **settings}


def length(bases: Mapping[str, Settings], params: Mapping[str, Any]) -> float:
    """Up to which step a trial trains; 0 where its method takes no steps."""
    settings = asdict(base_of(bases, params)) | own(params)
    return float(settings.get("steps", 0))


def note_idle_gpus(joined: cluster.Cluster, wanted: float, console: Console) -> None:
    """Say so where there are GPUs and no worker asks for one."""
    if not wanted and any(gpus for _, gpus in joined.nodes):
        console.print(
            "note: trials run on CPUs, though there is a GPU: --gpus-per-worker 1 gives each worker one",
            soft_wrap=True,
            highlight=False,
        )


def _draw(ledger: Ledger, request: Request) -> tuple[Table, str]:
    candidates = ledger.front()
    table = front_table.draw_front(candidates, ledger.facts, list(request.space), most=8)
    return table, f"hypervolume {front_table.volume(candidates, ledger.facts):.3f}"


def _draw_repeated(ledger: Ledger, request: Request) -> tuple[Table, str]:
    study = ledger.read()
    points = recipes.repeated(study)
    table = front_table.draw_front(study.candidates, ledger.facts, list(request.space), most=8, points=points)
    open_ = sum(not recipes.settled(share) for share in points[recipes.SHARE]) if len(points) else 0
    return table, f"{open_} of {len(points)} points are not settled"
