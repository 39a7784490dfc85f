"""A benchmark is made of documents, and two small models are trained on one, as `lethe benchmark` asks for it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lethe.display.console import open_console
from lethe_cli import checks
from lethe_cli.objectives import without_insisted
from trainables.benchmarks import documents, layout, rwku, tofu
from trainables.benchmarks.wmdp import read_choices
from trainables.scores.truths import protocol_for

CHOICES = ("forget", "retain", "general")


def make_benchmark(
    out: str,
    *,
    forget: Sequence[str],
    retain: Sequence[str],
    holdout: Sequence[str],
    qa: str | None,
    choices: Sequence[str],
    words: int,
) -> None:
    """Write a benchmark folder of text files, and say what is in it; ValueError, in one line, where it cannot be."""
    questions = documents.read_questions(Path(qa)) if qa else None
    splits = documents.from_texts(
        forget=_read(forget), retain=_read(retain), holdout=_read(holdout), questions=questions, words=words
    )
    splits |= dict(map(_read_choices, choices))
    made = layout.Benchmark(out, splits)
    layout.check_benchmark(made)
    protocol = protocol_for(made)
    _write(checks.check_new_folder(out), splits)
    _report(made, protocol, open_console())


def make_tofu(out: str, place: str, forget: str) -> None:
    """Write a benchmark folder of TOFU's questions; ValueError, in one line, where it cannot be."""
    splits = tofu.read_tofu(place, forget)
    made = layout.Benchmark(out, splits)
    layout.check_benchmark(made)
    _write(checks.check_new_folder(out), splits)
    passages = ", ".join(f"{len(rows)} {split}" for (config, split), rows in splits.items() if config == "raw")
    open_console().print(f"{out}: {passages} questions", soft_wrap=True, highlight=False)


def make_rwku(out: str, place: str, subjects: Sequence[str], corpus: str) -> None:
    """Write a benchmark folder of RWKU's questions on people; ValueError, in one line, where it cannot be."""
    splits = rwku.read_rwku(place, subjects, corpus)
    made = layout.Benchmark(out, splits)
    layout.check_benchmark(made)
    _write(checks.check_new_folder(out), splits)
    asked = ", ".join(f"{len(rows)} on {split}" for (config, split), rows in splits.items() if config == "probe")
    lines = (
        f"{out}: {len(splits['raw', 'forget'])} texts to forget, questions: {asked}",
        "missing, as RWKU has none: a retrained model, held-out texts (no PrivLeak), general utility; search with "
        "--objectives level1_f,level2_f,level3_f,level2_r",
    )
    for line in lines:
        open_console().print(line, soft_wrap=True, highlight=False)


def train_models(folder: str, out: str, *, epochs: int, seed: int) -> None:
    """Train two small models on a benchmark folder; ValueError, in one line, where that cannot be."""
    checks.check_count("--epochs", epochs)
    benchmark = layout.load_benchmark(folder)
    target = checks.check_new_folder(out)
    from lethe_cli.preparing import show_training  # torch takes seconds to load
    from trainables.benchmarks.small_models import train_pair

    console = open_console()
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


def _read(files: Sequence[str]) -> list[str]:
    return documents.read_texts([Path(file) for file in files])


def _read_choices(asked: str) -> tuple[tuple[str, str], list[layout.Row]]:
    """A split of the config `mcq`, and its rows, of SPLIT=PLACE."""
    split, _, place = asked.partition("=")
    if split not in CHOICES or not place:
        raise ValueError(f"--choices {asked!r} is not SPLIT=PLACE, of which SPLIT is {', '.join(CHOICES)}")
    return ("mcq", split), read_choices(place, split)


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
        left = without_insisted(checks.available_scores(made, retrained=False))
        console.print(f"no --holdout: PrivLeak cannot be measured; search with --objectives {left}")
