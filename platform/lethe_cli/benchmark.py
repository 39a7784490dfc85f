"""`lethe benchmark`: a benchmark from your own documents, and small models to try it with."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lethe.display.progress import open_console
from lethe_cli import checks
from trainables.benchmarks import documents, layout
from trainables.scores.truths import protocol_for
from trainables.settings import LARGEST

Option, Argument = typer.Option, typer.Argument
benchmark_app = typer.Typer(rich_markup_mode=None, help="Make a benchmark of your own documents.")


@benchmark_app.command("make")
def make(
    out: Annotated[str, Argument(help="Folder to write.")],
    forget: Annotated[list[str], Option(help="Text files to be forgotten.")],
    retain: Annotated[list[str], Option(help="Text files to be kept.")],
    holdout: Annotated[list[str] | None, Option(help="Text files no model has read; without them no PrivLeak.")] = None,
    qa: Annotated[str | None, Option(help="CSV file with columns set (forget or retain), question, answer.")] = None,
    words: Annotated[int, Option(help="Words of a passage.")] = 100,
) -> None:
    """Turn plain text files into a benchmark folder of MUSE's layout."""
    if words < 10:
        raise ValueError(f"--words is {words}: a passage needs at least 10")
    questions = documents.read_questions(Path(qa)) if qa else None
    splits = documents.from_texts(
        forget=_read(forget), retain=_read(retain), holdout=_read(holdout or []), questions=questions, words=words
    )
    made = layout.Benchmark(out, splits)
    layout.check_benchmark(made)
    protocol = protocol_for(made)
    _write(checks.check_new_folder(out), splits)
    _report(made, protocol, open_console())


@benchmark_app.command("train")
def train(
    folder: Annotated[str, Argument(help="A benchmark folder that `lethe benchmark make` wrote.")],
    out: Annotated[str, Argument(help="Folder to write target/ and retrained/ to.")],
    epochs: Annotated[int, Option(help="Times that each text is read.")] = 30,
    seed: Annotated[int, Option(help="Seed of the weights and of the order of the texts.")] = 0,
) -> None:
    """Train two models of about 1M parameters on a benchmark: one on all its text, one without the forget text."""
    checks.check_count("--epochs", epochs)
    if not 0 <= seed <= LARGEST:
        raise ValueError(f"--seed is {seed}: it must lie between 0 and {LARGEST}")
    benchmark = layout.load_benchmark(folder)
    target = checks.check_new_folder(out)
    from transformers.utils.logging import disable_progress_bar

    from lethe_cli.preparing import show_training  # torch takes seconds to load
    from trainables.benchmarks.small_models import train_pair

    console = open_console()
    disable_progress_bar()
    with show_training(console) as show:
        train_pair(benchmark, target, epochs=epochs, seed=seed, on_progress=show)
    console.print(
        f"target model: {target}/target\nretrained model: {target}/retrained", soft_wrap=True, highlight=False
    )
    if benchmark.has("knowmem"):
        console.print(
            "both read texts alone, and were taught no question that KnowMem asks: expect few answers of them",
            soft_wrap=True,
            highlight=False,
        )


def _read(files: list[str]) -> list[str]:
    return documents.read_texts([Path(file) for file in files])


def _write(folder: Path, splits: layout.Splits) -> None:
    """Write a benchmark into a new folder, whole or not at all."""
    try:
        layout.write_benchmark(folder, splits)
    except OSError as error:
        for config, _ in splits:
            shutil.rmtree(folder / config, ignore_errors=True)
        raise ValueError(f"{str(folder)!r} cannot be written: {error.strerror or error}") from None


def _report(made: layout.Benchmark, protocol: str, console: Console) -> None:
    passages = ", ".join(f"{len(rows)} {split}" for (config, split), rows in made.splits.items() if config == "raw")
    console.print(f"{made.name}: {passages} passages", soft_wrap=True, highlight=False)
    if protocol != "muse":
        console.print(
            f"protocol muse scores only the letters a to z and digits, too few here: search with --protocol {protocol}",
            soft_wrap=True,
            highlight=False,
        )
    if not made.has("knowmem"):
        console.print("no --qa: KnowMem_f and KnowMem_r will be absent, and general utility is searched in their place")
    if not made.has("privleak"):
        left = checks.without_insisted(checks.available_scores(made, retrained=False))
        console.print(f"no --holdout: PrivLeak cannot be measured; search with --objectives {left}")
