"""`lethe benchmark`: a benchmark from your own documents, small models to try it with, and what is made of one."""

from typing import Annotated

import typer

from trainables.settings import LARGEST

Option, Argument = typer.Option, typer.Argument
benchmark_app = typer.Typer(rich_markup_mode=None, help="Make a benchmark of your own documents, and look at one.")


@benchmark_app.command("make")
def make(
    out: Annotated[str, Argument(help="Folder to write.")],
    forget: Annotated[list[str], Option(help="Text files to be forgotten.")],
    retain: Annotated[list[str], Option(help="Text files to be kept.")],
    holdout: Annotated[list[str] | None, Option(help="Text files no model has read; without them no PrivLeak.")] = None,
    qa: Annotated[str | None, Option(help="CSV file with columns set (forget or retain), question, answer.")] = None,
    choices: Annotated[
        list[str] | None,
        Option(help="Multiple choice, SPLIT=PLACE: forget, retain or general; a file, a folder, owner/name:config."),
    ] = None,
    words: Annotated[int, Option(help="Words of a passage.")] = 100,
) -> None:
    """Turn plain text files into a benchmark folder of MUSE's layout."""
    if words < 10:
        raise ValueError(f"--words is {words}: a passage needs at least 10")
    # pandas takes a second to load, which a help text does without.
    from lethe_cli.benchmarking import make_benchmark

    make_benchmark(out, forget=forget, retain=retain, holdout=holdout or [], qa=qa, choices=choices or [], words=words)


@benchmark_app.command("tofu")
def tofu(
    out: Annotated[str, Argument(help="Folder to write.")],
    place: Annotated[str, Option("--from", help="TOFU: its hub id, or a folder of its files.")] = "locuslab/TOFU",
    forget: Annotated[str, Option(help="What is to be forgotten: forget01, forget05 or forget10.")] = "forget10",
) -> None:
    """Turn TOFU's questions into a benchmark folder of MUSE's layout."""
    from lethe_cli.benchmarking import make_tofu

    make_tofu(out, place, forget)


@benchmark_app.command("rwku")
def rwku(
    out: Annotated[str, Argument(help="Folder to write.")],
    subject: Annotated[list[str], Option(help="Who is to be forgotten; again for another one.")],
    place: Annotated[str, Option("--from", help="RWKU: its hub id, or a folder of its files.")] = "jinzhuoran/RWKU",
    corpus: Annotated[str, Option(help="Whose texts on them are to be forgotten: llama3 or phi3.")] = "llama3",
) -> None:
    """Turn RWKU's questions on people into a benchmark folder of MUSE's layout."""
    from lethe_cli.benchmarking import make_rwku

    make_rwku(out, place, subject, corpus)


@benchmark_app.command("train")
def train(
    folder: Annotated[str, Argument(help="A benchmark folder that `lethe benchmark make` wrote.")],
    out: Annotated[str, Argument(help="Folder to write target/ and retrained/ to.")],
    epochs: Annotated[int, Option(help="Times that each text is read.")] = 30,
    seed: Annotated[int, Option(help="Seed of the weights and of the order of the texts.")] = 0,
) -> None:
    """Train two models of about 1M parameters on a benchmark: one on all its text, one without the forget text."""
    if not 0 <= seed <= LARGEST:
        raise ValueError(f"--seed is {seed}: it must lie between 0 and {LARGEST}")
    from lethe_cli.benchmarking import train_models

    train_models(folder, out, epochs=epochs, seed=seed)


@benchmark_app.command("show")
def show(
    name: Annotated[str, Argument(help="A benchmark: a name, a folder, or a hub id.")],
    data: Annotated[str | None, Option(help="Derived data by name, separated by commas; all but the target's.")] = None,
    rows: Annotated[int, Option(help="Rows of each that are shown.")] = 2,
    seed: Annotated[int, Option(help="Seed of what is drawn.")] = 0,
    model: Annotated[str | None, Option(help="The target model, where it is not the benchmark's own.")] = None,
) -> None:
    """Show what methods may train on beside a benchmark's texts: a few rows of everything that is made of these."""
    if not 0 <= seed <= LARGEST:
        raise ValueError(f"--seed is {seed}: it must lie between 0 and {LARGEST}")
    from lethe_cli.showing import show_derived

    names = [one.strip() for one in data.split(",")] if data is not None else []
    show_derived(name, data=names, rows=rows, seed=seed, model=model)
