"""Before a search: the benchmark and its models, made or found, and the reference scores, measured or read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from huggingface_hub.utils import disable_progress_bars
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import lethe
import lethe_cli
import search_spaces
import trainables
from lethe.analysis.cells import listed
from lethe.cluster import connection as cluster
from lethe.fronts.objectives import Constraint
from trainables.benchmarks.layout import load_benchmark
from trainables.content import content
from trainables.probes.robustness import NAMED, robustness_scores
from trainables.runs.weights import check_weights
from trainables.scores import searched_scores
from trainables.scores.protocol import protocol_of
from trainables.scores.reductions import auc
from trainables.scores.references import References, measure_references
from trainables.scores.split import MOST_WIDE
from trainables.settings import Descent, Settings
from trainables.subjects.positions import check_lengths
from trainables.task import Places, Task, cache_of, locate

SHIPPED = (lethe, lethe_cli, search_spaces, trainables)
LEAST_UNLIKE = 0.2  # distance of the retrained model's AUC from 0.5 that is worth a note


def prepare(
    task: Task,
    all_settings: Sequence[Settings],
    console: Console,
    *,
    cpus: float = 1,
    gpus: float = 0,
    check: Callable[[str], None] = lambda found: None,
) -> References:
    """Make or find the benchmark and its models, and measure or read the reference scores, with `gpus` on one.

    `all_settings` are all that will be run. `check` is given the hash of texts and models before anything is scored.
    ValueError where the target cannot be trained as one of the configurations says.
    """
    disable_progress_bars()
    with show_training(console) as show:
        places = locate(task, on_progress=show)
    check_weights(places.target, all_settings)
    if any(isinstance(settings, Descent) and settings.checkpointing for settings in all_settings):
        from trainables.subjects.models import (
            check_checkpointing,  # loads torch, which most searches' drivers do without
        )

        check_checkpointing(places.target)
    with console.status("scoring the target and the retrained model"):
        batch = min(settings.score_batch for settings in all_settings)  # scores do not depend on it
        references = _score_somewhere((task, places, batch, check), cpus, gpus)
    for note in (*references.notes, *told_of_split(task, references)):
        console.print(f"note: {note}", soft_wrap=True, highlight=False)
    return references


def told_of_split(task: Task, references: References) -> Iterator[str]:
    """Which scores have items enough for two halves, and which have not, where items are to be split."""
    if not task.split:
        return
    shown = [name for name, score in searched_scores().items() if score.card.shown and name in references.target]
    shown += [name for name in references.target if name.startswith(NAMED)]
    halved = [name for name in shown if name in references.reported.get("target", {})]
    whole = [name for name in shown if name not in halved]
    if halved:
        yield f"half of the items choose, the other half report {listed(halved)} (all do both with --no-split)"
    if whole:
        yield (
            f"{listed(whole)}: too few items for two halves, of which an interval may be more than {MOST_WIDE:.0f} "
            "points wide; all of them choose and report, and intervals of what is chosen come out too narrow"
        )


def _score_somewhere(asked: tuple[Task, Places, int, Callable[[str], None]], cpus: float, gpus: float) -> References:
    """The reference scores, measured in this process or, on GPUs, on a node of the cluster."""
    if not gpus:
        return reference_scores(*asked)
    with cluster.connect(SHIPPED) as joined:
        cluster.slots(joined, workers=1, cpus=cpus, gpus=gpus, trials=1)
        return cluster.run_remotely(reference_scores, *asked, cpus=cpus, gpus=min(gpus, 1))


def reference_scores(task: Task, places: Places, score_batch: int, check: Callable[[str], None]) -> References:
    """Return the scores of a task's target and retrained model, once their hash is checked."""
    benchmark = load_benchmark(places.data)
    check(content(benchmark, places))

    def tokenizer() -> Any:
        from trainables.subjects.tokenizers import load_tokenizer, shared_tokenizer

        return shared_tokenizer(load_tokenizer(places.tokenizer), places.target, places.retrained)

    return measure_references(
        benchmark,
        tokenizer,
        protocol_of(task),
        places,
        cache_of(task) / "references",
        batch_size=score_batch,
        beside=robustness_scores(task.stresses),
    )


def check_sequences(task: Task, all_settings: Sequence[Settings], references: References) -> None:
    """ValueError where training would feed the target longer sequences than it has positions for."""
    if references.positions is None or max(settings.longest for settings in all_settings) <= references.positions:
        return
    from trainables.runs.sequences import cut, longest
    from trainables.subjects.models import read_config  # loads torch, which most searches' drivers do without
    from trainables.subjects.tokenizers import load_tokenizer

    places = locate(task)
    benchmark, tokenizer = load_benchmark(places.data), load_tokenizer(places.tokenizer)
    lengths = longest(all_settings, lambda stream: cut(stream, benchmark, tokenizer))
    check_lengths(lengths, read_config(places.target))


def warn_of_unlike_texts(scores: Iterable[str], references: References, console: Console) -> None:
    """Say so where a model that read neither of a score's two samples tells them apart: it then measures their topics.

    Scores that are not read against a retrained model compare no samples, and of one sample none is compared.
    """
    for score, samples in (references.reference or {}).items():
        if len(samples) < 2:
            continue
        found = auc(*samples.values())
        if score not in scores or abs(found - 0.5) <= LEAST_UNLIKE:
            continue
        first, second = samples
        console.print(
            f"note: the retrained model, which read neither, tells {first} from {second} texts (AUC {found:.2f}, not "
            f"near 0.5): {score} says little here; take {second} texts that are more like the {first} texts",
            soft_wrap=True,
            highlight=False,
        )


def warn_of_steep_floors(constraints: Iterable[Constraint], references: References, console: Console) -> None:
    """Say so where the target itself is below a floor: unlearning seldom makes a model better at what it keeps."""
    for constraint in constraints:
        value = references.target[constraint.score][0]
        if value < constraint.low and constraint.ceiling is None:
            console.print(
                f"note: {constraint.score} has to stay {constraint.words}, and the target itself has {value:.1f}: "
                "maybe nothing will be feasible",
                soft_wrap=True,
                highlight=False,
            )


@contextmanager
def show_training(console: Console) -> Iterator[Any]:
    """A progress bar for what a benchmark makes; on a terminal it goes when it is done, elsewhere it is a few lines."""
    if not console.is_terminal:
        yield (
            lambda what, done, total: (
                console.print(f"training the {what}: epoch {done} of {total}") if done % 10 == 0 else None
            )
        )
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(f"training the {what} (once)", total=total)
            progress.update(tasks[what], completed=done)

        yield show
