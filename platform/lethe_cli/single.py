"""Runs one configuration in this process and draws its scores beside those of the reference models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lethe.display.front_table import interval
from lethe.store.places import Place
from lethe.store.urls import RESULTS
from lethe_cli.plan_table import announce_plan
from lethe_cli.preparing import prepare
from lethe_cli.room import announce_room
from lethe_cli.run_file import RunFile, check_folder
from trainables.folders import expanded
from trainables.keys import run_key
from trainables.runs import resume
from trainables.runs.run_folder import RunFolder
from trainables.runs.unlearning import Unlearner
from trainables.scores import searched_scores
from trainables.settings import Settings
from trainables.task import Task

SINGLE = "single"  # in the folder of results: a folder for each run, called by the run's key


def run_single(task: Task, settings: Settings, out: Path | None, console: Console, *, go_on: bool) -> dict[str, Any]:
    """Unlearn once, and return every candidate's scores, with the reference rows, as plain data.

    A run that was begun in its folder goes on where `go_on` is said; ValueError as `check_folder` raises it.
    """
    announce_plan(task, [settings], workers=1, gpus=1, console=console)
    if not go_on:
        announce_room(task, settings, out or expanded(RESULTS), console)
    references = prepare(task, [settings], console)
    key = run_key(settings, references.fingerprint)
    folder = out or expanded(RESULTS) / SINGLE / key
    run = RunFile.of(task, settings, key)
    there = check_folder(folder, run, resume=go_on)
    if go_on:
        console.print(what_there_is(there, folder, key, settings), soft_wrap=True, highlight=False)
    rows = {"target": references.target} | ({"retrained": references.retrained} if references.retrained else {})
    outcome: dict[str, Any] = {"run": key, "folder": str(folder), "references": rows, "candidates": []}
    if there and there.results is not None:
        outcome["candidates"] = [candidate for result in there.results for candidate in result["candidates"]]
    else:
        run.write(folder)
        _unlearn(task, settings, run, folder, outcome, console)
    _conclude(outcome, console)
    return outcome


def what_there_is(there: RunFile | None, folder: Path, key: str, settings: Settings) -> str:
    """What --resume found: that the run had ended, from where it goes on, or that there is nothing to go on from."""
    if there and there.results is not None:
        return f"run {key} has ended before, and is not run again"
    saved = resume.find(RunFolder(folder), key)
    if saved:
        return f"run {key} goes on behind step {saved.step}"
    return f"run {key} begins: there is nothing to go on from in {folder}"


def _unlearn(
    task: Task, settings: Settings, run: RunFile, folder: Path, outcome: dict[str, Any], console: Console
) -> None:
    """Run to the end, and write down what came of it; on Ctrl-C say up to which step all is kept."""
    results = []
    try:
        with console.status(f"unlearning by {settings.method}, scored {settings.evaluations} times"):
            for result in Unlearner(task, settings.score_batch)(settings, folder):
                if "failure" in result:
                    outcome["failure"] = result["failure"]
                    return
                results.append(result)
                outcome["candidates"] += result["candidates"]
        replace(run, results=results).write(folder)
    except KeyboardInterrupt:
        newest = Place.of(results[-1]["candidates"][-1]).where if results else ""
        kept = f"up to {newest}" if results else "nothing yet: the first evaluation was not reached"
        console.print(f"kept in {folder}: {kept}", soft_wrap=True, highlight=False)
        raise


def _conclude(outcome: dict[str, Any], console: Console) -> None:
    console.print(draw_scores(outcome))
    if "failure" in outcome:
        console.print(f"failed: {outcome['failure']}", soft_wrap=True)
    console.print(f"weights and outputs: {outcome['folder']}", soft_wrap=True, highlight=False)


def draw_scores(outcome: dict[str, Any]) -> Table:
    """Draw reference rows and candidates; each score is followed by how far its 95% interval reaches."""
    rows = [(name, "", scores) for name, scores in outcome["references"].items()]
    rows += [(c["role"], Place.of(c).where, c["scores"]) for c in outcome["candidates"]]
    named = [name for name, score in searched_scores().items() if score.card.shown]
    shown = [name for name in named if any(name in scores for _, _, scores in rows)]
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("model", "at", *shown):
        table.add_column(name, justify="right", no_wrap=True)
    for model, where, scores in rows:
        table.add_row(model, where, *(interval(scores.get(name)) for name in shown), style="dim" if not where else "")
    return table
