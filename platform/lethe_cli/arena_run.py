"""A checked arena becomes its studies, which run side by side on the same workers, and a table of what came of them."""

import functools
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import optuna
from rich.console import Console

from lethe.analysis.arena import read_arena
from lethe.cluster.connection import Cluster
from lethe.display.arena_progress import ArenaProgress, EntryState, LiveEntry
from lethe.search.ledger import Ledger
from lethe.search.limits import FULL, Budget
from lethe.store.storage import going_on_later, open_storage
from lethe.store.urls import hide_password
from lethe_cli import hints
from lethe_cli.arena_request import ArenaRequest, Entrant
from lethe_cli.arena_table import draw, legend, plain
from lethe_cli.preparing import show_training
from lethe_cli.search import at_once, begin, joining, open_ledgers, run_together, search_of
from trainables.failures import NoSuchWeights
from trainables.runs.weights import check_weights
from trainables.task import locate

ALL_FAILED = "all trials of all entrants failed"


def run_arena(request: ArenaRequest, console: Console) -> dict[str, Any]:
    """Run an arena to its end, or to Ctrl-C, and return the outcome as plain data."""
    request = of_those_that_can(request, console)
    settings = [corner for entrant in request.entrants for corner in entrant.corners()]
    references = begin(request, settings, console)
    storage = open_storage(request.storage)
    with going_on_later(request.storage), joining(request, console) as join:
        entries = request.searches()
        if {entry.name for entry in entries} - set(optuna.get_all_study_names(storage)):
            join()  # before there is a study: one that nothing can run stands in the way of the next attempt
        ledgers = open_ledgers(entries, storage, references)
        if unfinished(request, ledgers):
            run_entries(request, ledgers, join(), console)
    return conclude(request, ledgers, console)


def of_those_that_can(request: ArenaRequest, console: Console) -> ArenaRequest:
    """The arena of the entrants that the target has the weights for; ValueError where one that was named is none."""
    with show_training(console) as show:
        target = locate(request.task, on_progress=show).target
    able: list[Entrant] = []
    for entrant in request.entrants:
        try:
            check_weights(target, entrant.corners())
            able.append(entrant)
        except NoSuchWeights as error:
            if request.named:
                raise ValueError(f"entrant {entrant.label!r} cannot run on this model: {error}") from error
            console.print(f"note: {entrant.label} is left out: {error}", soft_wrap=True, highlight=False)
    if not able:
        raise ValueError("no method can run on this model")
    return replace(request, entrants=tuple(able))


def unfinished(request: ArenaRequest, ledgers: Sequence[Ledger]) -> bool:
    """Whether any entry may begin, or go on with, a trial."""
    return any(request.budget.had(ledger.trials) < FULL for ledger in ledgers)


def running(ledgers: Sequence[Ledger]) -> int:
    """How many trials run, of other drivers where this one has ended its own."""
    return sum(len(ledger.trials.running()) for ledger in ledgers)


def run_entries(request: ArenaRequest, ledgers: Sequence[Ledger], joined: Cluster, console: Console) -> None:
    """Run all entries side by side until each has had its budget."""
    entries = request.searches()
    live = [
        LiveEntry(entry.arena["entrant"], entry.seed, ledger.facts, functools.partial(state_of, request.budget, ledger))
        for entry, ledger in zip(entries, ledgers, strict=True)
    ]
    slots = at_once(request, joined)
    display = ArenaProgress(console=console, entries=live, slots=slots)
    searches = [
        search_of(entry, ledger, request.budget, display.watch(shown))
        for entry, ledger, shown in zip(entries, ledgers, live, strict=True)
    ]
    with display:
        run_together(searches, request, slots)


def state_of(budget: Budget, ledger: Ledger) -> EntryState:
    """How an entry stands, as it is shown."""
    now = ledger.trials.tally()
    return EntryState(
        done=len(now.ended),
        failed=now.failed,
        spent=sum(now.costs.values()) / budget.cost,
        far=far(budget, ledger),
        front=ledger.front(),
    )


def far(budget: Budget, ledger: Ledger) -> float:
    """How far an entry is, from 0 to 1."""
    return min(max(budget.had(ledger.trials), 0.0), 1.0)


def conclude(request: ArenaRequest, ledgers: Sequence[Ledger], console: Console) -> dict[str, Any]:
    """Print who is better than whom, where everything is and what to type next; return it as plain data."""
    interrupted = any(request.budget.likely(ledger.trials) < FULL for ledger in ledgers)
    say = functools.partial(console.print, soft_wrap=True, highlight=False)
    say("")
    if interrupted:
        share = sum(far(request.budget, ledger) for ledger in ledgers) / len(ledgers)
        say(f"interrupted after {share:.0%} of the arena; the same command with --resume goes on")
    elif left := running(ledgers):
        say(f"{left} trials still run by another driver: this is the arena without them")
    found = read_arena(request.storage, request.name)
    console.print(draw(found))
    say(legend(found))
    for line in found.words:
        say(line)
    failure = None if interrupted or found.entrants["trials"].sum() > found.entrants["failed"].sum() else ALL_FAILED
    if failure:
        say(failure)
    say(f"\narena    {hide_password(request.storage)}  (name {request.name})")
    say("next")
    if interrupted:
        say(f"  go on               {hints.command_again(sys.argv, '--seeds', len(request.seeds))}")
    say(f"  read the report     {hints.report(request.name, request.storage)}")
    say(f"  look around         {hints.dashboard(request.storage)}")
    return {
        "arena": request.name,
        "storage": hide_password(request.storage),
        "interrupted": interrupted,
        "failure": failure,
        **plain(found),
    }
