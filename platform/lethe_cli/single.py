"""Runs one configuration in this process and draws its scores beside those of the reference models."""

from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from transformers.utils.logging import disable_progress_bar

from lethe.front_table import interval
from lethe_cli.plan_table import announce_plan
from lethe_cli.search import prepare
from trainables.config import Config
from trainables.task import Task
from trainables.unlearning import Unlearner

SHOWN = ("verbmem_f", "knowmem_f", "privleak", "knowmem_r", "utility")


def run_single(task: Task, config: Config, folder: Path, console: Console) -> dict[str, Any]:
    """Unlearn once, and return every checkpoint's scores, with the reference rows, as plain data."""
    disable_progress_bar()  # of its loading and saving; the status below is ours
    announce_plan(task, config, workers=1, gpus=1, console=console)
    references = prepare(task, console)
    rows = {"target": references.target} | ({"retrained": references.retrained} if references.retrained else {})
    outcome: dict[str, Any] = {"references": rows, "checkpoints": []}
    with console.status(f"unlearning: {config.steps} steps, scored every {config.eval_every}"):
        for result in Unlearner(task)(config, folder):
            if "failure" in result:
                outcome["failure"] = result["failure"]
                break
            outcome["checkpoints"] += result["checkpoints"]
    console.print(draw_scores(outcome))
    if "failure" in outcome:
        console.print(f"failed: {outcome['failure']}", soft_wrap=True)
    console.print(f"weights and outputs: {folder}", soft_wrap=True, highlight=False)
    return outcome


def draw_scores(outcome: dict[str, Any]) -> Table:
    """Draw reference rows and checkpoints; each score is followed by how far its 95% interval reaches."""
    rows = [(name, "", scores) for name, scores in outcome["references"].items()]
    rows += [(point["role"], str(point["step"]), point["scores"]) for point in outcome["checkpoints"]]
    shown = [name for name in SHOWN if any(name in scores for _, _, scores in rows)]
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("model", "step", *shown):
        table.add_column(name, justify="right", no_wrap=True)
    for model, step, scores in rows:
        table.add_row(model, step, *(interval(scores.get(name)) for name in shown), style="dim" if not step else "")
    return table
