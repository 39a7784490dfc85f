"""A search's end, as it is printed and returned: the front, the candidate nearest to what is asked, what comes next."""

import shlex
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

import pandas as pd
from rich.console import Console

from lethe.analysis import recipes
from lethe.analysis.items import which_items
from lethe.analysis.outcome import outcome
from lethe.display import front_table
from lethe.search.ledger import Ledger
from lethe.search.repeats import Race
from lethe.store.again import run_again
from lethe.store.facts import Facts
from lethe.store.parameters import METHOD, method_of, own
from lethe.store.snapshot import Snapshot
from lethe.store.study_folder import study_folder
from lethe.store.urls import hide_password
from lethe_cli import hints, recommending
from lethe_cli.presets import find_preset
from lethe_cli.request import Request
from trainables.benchmarks import find_source
from trainables.methods import find_method


def conclude(request: Request, ledger: Ledger, console: Console, race: Race | None = None) -> dict[str, Any]:
    """Print the front, where everything is and what to type next; return it as plain data."""
    study = ledger.read()
    candidates, points = study.candidates, recipes.repeated(study)
    finished, failures = ledger.trials.finished(), ledger.trials.failures()
    unfinished = ledger.trials.claimed() < request.trials
    interrupted = unfinished or bool(race and race.left())
    console.print()
    if not unfinished and finished < request.trials:
        console.print(f"{request.trials - finished} trials still run by another driver: this is the front without them")
    if unfinished:
        console.print(
            f"interrupted after {finished} of {request.trials} trials; the same command with --resume goes on"
        )
    elif race and interrupted:
        console.print(f"interrupted after {race.ended()} repeats; the same command with --resume goes on")
    _print_front(study, points, request, console)
    stopped = ledger.trials.stopped()
    if stopped:
        console.print(
            f"stopped early: {len(stopped)} of {finished} trials; the dashboard's page Progress says where and why"
        )
    for number, reason in failures.items():
        console.print(f"trial {number} failed: {reason}", soft_wrap=True, highlight=False)
    for number, reason in ledger.trials.failed_repeats().items():
        console.print(f"repeat {number} failed: {reason}", soft_wrap=True, highlight=False)
    failure = None if interrupted else why_all_failed(ledger, "trials")
    if failure:
        console.print(failure, soft_wrap=True, highlight=False)
    _print_places(
        candidates, ledger.facts, request, console, more=request.trials if interrupted else 2 * request.trials
    )
    return {
        "study": request.name,
        "storage": hide_password(request.storage),
        "interrupted": interrupted,
        "trials": finished,
        "failed": failures,
        "stopped": stopped,
        "repeats": race.ended() if race else 0,
        "failure": failure,
        "hypervolume": front_table.volume(candidates, ledger.facts),
        "references": ledger.facts.references,
        "front": front_table.plain_front(candidates, ledger.facts, list(request.space), points),
    }


def why_all_failed(ledger: Ledger, what: str) -> str | None:
    """One line with the most frequent reason where all of a study's trials, or what they are called, failed."""
    failures = ledger.trials.failures()
    if not failures or len(failures) < ledger.trials.finished():
        return None
    (reason, times), *_ = Counter(failures.values()).most_common(1)
    return f"all {len(failures)} {what} failed, {times} of them so: {reason}"


def _print_front(study: Snapshot, points: pd.DataFrame, request: Request, console: Console) -> None:
    candidates, facts = study.candidates, study.facts

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False)

    benchmark = request.task.benchmark
    say(f"asked: to forget {find_source(benchmark).forget} ({benchmark}), and to keep the rest")
    console.print(front_table.draw_front(candidates, facts, list(request.space), points=points))
    size = int(candidates["front"].sum()) if len(candidates) else 0
    beaten = "no other beats them in all objectives; first those whose distances from the best are smallest in sum"
    said = front_table.size_in_words(candidates, facts)
    say(f"{said}: {beaten}, which is no advice to ship" if size else said)
    seeds = "another seed may give values outside it" if points.empty else "of several seeds, over these as well"
    say(f"±: how far the 95% interval over items reaches, to its longer side (+ or -: to one side alone); {seeds}")
    for line in (*(front_table.also_held(facts) if size else ()), *recipes.in_words(points)):
        say(line)
    if size:
        say(which_items(candidates, facts))
    say(f"hypervolume {front_table.volume(candidates, facts):.3f}: compares searches with the same objectives")
    for line in (*outcome(candidates, facts), *recommending.in_short(study)):
        say(f"  {line}")


def _print_places(candidates: pd.DataFrame, facts: Facts, request: Request, console: Console, *, more: int) -> None:
    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False)

    say(f"study    {hide_password(request.storage)}  (name {request.name})")
    say(f"written  {study_folder(request.results, request.name, facts.id).place}/trial-*")
    say("next")
    say(f"  go on searching     {hints.command_again(sys.argv, '--trials', more)}")
    best = front_table.plain_front(candidates, facts, list(request.space))
    if best:
        say(f"  run a row again     {reproduce(request, best[0])}")
    say(f"  read and decide     {hints.dashboard(request.storage)}")
    say(f"  take one away       {hints.recommend(request.name, request.storage)}")
    if best:
        say(f"  has it really gone  {hints.audit(request.name, request.storage)}")
    say(f"  try other methods   {hints.arena(request.flags, request.storage)}")


def reproduce(request: Request, candidate: dict[str, Any]) -> str:
    """The command line that runs a candidate's trial again, up to it where it stands on the axis of steps."""
    about = request.about()
    method = str(method_of(about, candidate["parameters"]))
    preset = find_preset(request.task.benchmark, method).settings
    defaults = asdict(find_method(method).settings(**preset))  # what the command has without a flag
    settings = {k: v for k, v in asdict(request.bases[method]).items() if v != defaults[k]} | own(
        candidate["parameters"]
    )
    again = run_again(about | {METHOD: method}, settings, candidate["axis"], candidate["at"])
    return shlex.join([hints.as_typed("python"), *again])
