"""A study, or all of an arena, goes out of its store and off the disk; never what a live driver runs."""

import sys
from collections.abc import Sequence

import typer

from lethe.handover import removal
from lethe.handover.removal import Doomed
from lethe.store.names import find, listed, with_arenas
from lethe.store.storage import check_writable, open_storage
from lethe_cli.stored import say
from trainables.folders import expanded


def run(name: str, url: str, results: str, *, yes: bool) -> None:
    """Remove what a name stands for, once its user has said so."""
    names = find(url, name).studies
    check_writable(url)
    storage = open_storage(url)
    below = results if "://" in results else str(expanded(results).absolute())
    going = [removal.doomed(storage, study, below) for study in names]
    borrowers = removal.borrowers(url, going)
    if yes and borrowers:
        raise ValueError(
            f"{name!r} is not removed with --yes, for weights and outputs of {listed(borrowers)} lie in its folder: "
            "remove these studies first, or ask again without --yes"
        )
    if not yes:
        ask(name, going, borrowers)
    removal.check_idle(storage, with_arenas(url, names))
    for study in going:
        removal.remove(storage, study)
        say(f"removed study {study.name}")
        if not study.folders:
            say(f"note: {study.name} has no id of its own, so what it wrote below {results} was left alone")


def ask(name: str, going: Sequence[Doomed], borrowers: Sequence[str]) -> None:
    """Ask whether these are to go; typer.Abort where not, ValueError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise ValueError(f"nobody can be asked whether {name!r} is to go: say so with --yes")
    for study in going:
        say(f"study {study.name}: {', '.join(folder.place for folder in study.folders) or 'no folder of its own'}")
    if borrowers:
        say(f"note: {listed(borrowers)} took over results of it, and would lose their weights and outputs")
    typer.confirm("Remove this for good?", abort=True)
