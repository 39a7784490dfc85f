"""A checked ablation becomes a study: every arm with every seed, queued or taken over, and what came of it."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lethe.analysis import ablation, requests, verdicts
from lethe.analysis.ablation import Ablation
from lethe.analysis.cells import number
from lethe.analysis.designs import Design
from lethe.cluster.connection import Cluster
from lethe.display.front_table import score_columns
from lethe.fronts.objectives import score_name
from lethe.search.ledger import Ledger
from lethe.search.runs import Run, finished_runs, plan_runs
from lethe.store.facts import PLANNED
from lethe.store.storage import going_on_later, open_storage
from lethe.store.urls import hide_password
from lethe_cli import hints
from lethe_cli.ablation_request import AblationRequest
from lethe_cli.conclusion import why_all_failed
from lethe_cli.preparing import show_training
from lethe_cli.request import Request
from lethe_cli.search import begin, joining, open_ledger, run_trials
from lethe_cli.tuning import tune_arms
from search_spaces.methods import meanings_of
from trainables.benchmarks import EMBEDDED
from trainables.benchmarks.layout import load_benchmark
from trainables.benchmarks.requests import all_parts_of
from trainables.keys import run_key
from trainables.scores import searched_scores
from trainables.scores.references import References
from trainables.task import locate


def run_ablation(request: AblationRequest, console: Console) -> dict[str, Any]:
    """Run an ablation to its end, or to Ctrl-C, and return the outcome as plain data."""
    references = begin(request, [replace(request.base, **arm.settings) for arm in request.design], console)
    storage = open_storage(request.storage)
    with going_on_later(request.storage), joining(request, console) as join:
        ledger = open_ablation(request, storage, references, join, console)
        design = Design.from_json(ledger.facts.about[ablation.DESIGN])
        taken = plan_runs(ledger, all_runs(request, design, references.fingerprint), storage)
        if taken:
            console.print(f"{taken} runs were finished by other studies of this store: taken over")
        # The study may hold other seeds than those that are asked for now: all its runs are brought to their end.
        request = replace(request, trials=len(ledger.trials.parameters()) - len(ledger.trials.interrupted()))
        ledger.study.set_user_attr(PLANNED, request.trials)
        if ledger.trials.finished() < request.trials:
            arms = {arm.name: arm.settings for arm in design}
            run_trials(request, ledger, join(), console, arms=arms, best=_draw_so_far)
    return conclude(request, ledger, console)


def open_ablation(
    request: AblationRequest, storage: RDBStorage, references: References, join: Callable[[], Cluster], console: Console
) -> Ledger:
    """Start the study of an ablation, its arms tuned first where that is asked for, or go on with it.

    A new one is made when the cluster is joined that runs it, if there is anything to run.
    """
    if request.name in optuna.get_all_study_names(storage):
        return open_ledger(request, storage, references)
    design = tune_arms(request, references, join, console)
    ended = finished_runs(storage, request.name)
    if any(run.key not in ended for run in all_runs(request, design, references.fingerprint)):
        join()
    return open_ledger(request, storage, references, described(design, request, console))


def described(design: Design, request: AblationRequest, console: Console) -> dict[str, Any]:
    """What is stored of an ablation beside what every study has: its design, and the commit of this checkout.

    Where requests grow or follow one another, also which of them each item of a score is about, and, of muse-mini, what
    models give away that never read what was asked for by then, which are trained for it.
    """
    about = {ablation.DESIGN: design.to_json(), "meanings": meanings_of(request.base.method), "commit": commit()}
    if not any(requests.is_part(arm.settings) for arm in design):
        return about
    parts = all_parts_of(load_benchmark(locate(request.task).data))
    dealt = {name: parts.get("/".join(score.needs[0])) for name, score in searched_scores().items()}
    about |= {requests.PARTS: {name: own for name, own in dealt.items() if own}}
    if request.task.benchmark != EMBEDDED or requests.PRIVLEAK not in about[requests.PARTS]:
        return about
    # torch, which most ablations' drivers do without
    from trainables.runs.retrained_at import can_be_made, read_by_each

    if not can_be_made(request.task):
        return about
    with show_training(console) as show:
        return about | {requests.RETRAINED_AT: read_by_each(request.task, on_progress=show)}


def commit() -> str:
    """The commit of the checkout that this code runs from, with `-dirty` where it was changed; "" without one."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=10", "--match="]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def all_runs(request: AblationRequest, design: Design, data: str) -> list[Run]:
    """Every arm with the first seed, then every arm with the second, and so on; `data` is the task's fingerprint."""
    return [
        Run(
            params={"arm": arm.name, "seed": seed},
            key=run_key(replace(request.base, **{**arm.settings, "seed": seed}), data),
        )
        for seed in request.seeds
        for arm in design
    ]


def conclude(request: AblationRequest, ledger: Ledger, console: Console) -> dict[str, Any]:
    """Print what each part contributes, and what to type next; return it as plain data."""
    found = ablation.read_ablation(request.storage, request.name)
    interrupted = ledger.trials.finished() < request.trials
    console.print()
    if interrupted:
        console.print(
            f"interrupted after {ledger.trials.finished()} of {request.trials} runs; "
            "the same command with --resume goes on"
        )
    console.print(draw_arms(found))
    say = functools.partial(console.print, soft_wrap=True, highlight=False)
    for line in (*verdicts.summary(found), *requests.told(found)):
        say(line)
    failure = None if interrupted else why_all_failed(ledger, "runs")
    if failure:
        say(failure)
    say(f"\nstudy    {hide_password(request.storage)}  (name {request.name})")
    say("next")
    say(f"  read the report     {hints.report(request.name, request.storage)}")
    what, times = ("go on", 1) if interrupted else ("repeat with more", 2)
    say(f"  {what:<18}  {hints.command_again(sys.argv, '--seeds', times * len(request.seeds))}")
    say(f"  look around         {hints.dashboard(request.storage)}")
    return {
        "study": request.name,
        "storage": hide_password(request.storage),
        "interrupted": interrupted,
        "runs": ledger.trials.finished(),
        "failed": ledger.trials.failures(),
        "failure": failure,
        "arms": json.loads(found.arms().to_json(orient="records")),
        "effects": json.loads(found.effects().to_json(orient="records")),
        "summary": verdicts.summary(found),
    }


def _draw_so_far(ledger: Ledger, request: Request) -> tuple[Table, str]:
    found = ablation.read_ablation(request.storage, request.name, items=False)
    ended = int((found.runs["state"] == "COMPLETE").sum())
    return draw_arms(found), f"{ended} of {request.trials} runs scored"


def draw_arms(found: Ablation) -> Table:
    """Every arm's scores: the mean over seeds and how far its 95% interval reaches.

    Of the constraints that are no objectives the first alone has a column, as in a front: the words behind the table
    name an arm that breaks another.
    """
    table = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    arms = found.arms()
    table.add_column("arm", overflow="fold")
    table.add_column("seeds", justify="right", no_wrap=True)
    scores = [*(score for score in score_columns(found.facts) if score in found.goals), ablation.VOLUME]
    for score in scores:
        table.add_column(score_name(score, found.goals.get(score, "")), justify="right", no_wrap=True)
    for arm in found.design:
        own = {row["score"]: row for row in arms[arms["arm"] == arm.name].to_dict("records")}
        cells = [
            number(own[score]["mean"], 3) if score == ablation.VOLUME else verdicts.mean_cell(own[score], ends=0)
            for score in scores
        ]
        seeds = max(int(row["n"]) for row in own.values())
        table.add_row(arm.name, str(seeds), *(cell.replace("−", "-") for cell in cells))  # numbers can be copied
    return table
