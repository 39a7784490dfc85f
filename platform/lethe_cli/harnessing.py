"""General utility of a model's folder by the tasks of lm-evaluation-harness, an extra."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lethe.analysis.cells import with_interval
from lethe.display.console import open_console
from lethe_cli.stored import print_json
from trainables.folders import find_folder
from trainables.harness import check_installed
from trainables.harness.tasks import UTILITY, write_utility
from trainables.runs.evidence import load_rows

if TYPE_CHECKING:
    from trainables.scores.reductions import Reading

Found = dict[str, dict[str, "Reading"]]


def run(
    model: str,
    tasks: str,
    benchmark: str | None,
    include: str | None,
    limit: int | None,
    shots: int | None,
    batch_size: int,
    *,
    as_json: bool,
) -> None:
    """Measure the tasks and print a line for each of their metrics; ValueError in one line for bad input."""
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    if not names:
        raise ValueError(f"--tasks is empty: name tasks of lm-evaluation-harness, or {UTILITY} with --benchmark")
    if (UTILITY in names) != (benchmark is not None):
        raise ValueError(f"--benchmark and the task {UTILITY} go together: it is the benchmark's general utility")
    own = None if include is None else find_folder(include, "folder of tasks")
    if include is not None and (own is None or benchmark is not None):
        raise ValueError(f"--include {include!r} is no folder of tasks, or is given beside --benchmark: give one")
    check_installed()
    found = _measure(model, names, benchmark, own, limit, shots, batch_size)
    if as_json:
        print_json({task: {name: asdict(r) for name, r in own.items()} for task, own in found.items()})
    else:
        open_console().print(draw(found))


def _measure(
    model: str,
    tasks: list[str],
    benchmark: str | None,
    include: Path | None,
    limit: int | None,
    shots: int | None,
    batch_size: int,
) -> Found:
    os.environ["TQDM_DISABLE"] = "1"  # read as tqdm is loaded, by the harness and by datasets
    console = open_console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="lethe-") as room, console.status("loading lm-evaluation-harness"):
        if benchmark is not None:
            include = write_utility(load_rows(benchmark), Path(room))
        from trainables.harness.measure import measure  # the harness and torch: a minute where two cores are busy
        from trainables.subjects.saving import load_subject, tokenizer_of
        from trainables.subjects.subject import models_of
        from trainables.world import join

        subject = load_subject(model)
        for part in models_of(subject):
            part.to(join().device)
        return measure(
            subject,
            tokenizer_of(model, subject),
            tasks,
            limit=limit,
            num_fewshot=shots,
            batch_size=batch_size,
            include_path=include,
        )


def draw(found: Found) -> Table:
    """A row for each metric of each task: its value x100 with its 95% interval over items."""
    table = Table("task", "metric", "x100", "items", header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for task, readings in found.items():
        for name, reading in readings.items():
            table.add_row(task, name, with_interval(reading.value, reading.low, reading.high), str(reading.n))
    return table
