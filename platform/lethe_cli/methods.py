"""`lethe methods`: what there is to unlearn by, and the card of one method with all its settings."""

from itertools import groupby
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lethe.display.console import open_console
from search_spaces.methods import SMALL, spaces_of, switches_of
from trainables.method import FAMILIES, Method
from trainables.methods import METHODS, find_method


def methods(
    name: Annotated[str | None, typer.Argument(help="Of one method: its card, settings and switches.")] = None,
) -> None:
    """List the methods of unlearning, or show one with its settings, where they are searched, and its switches."""
    console = open_console()
    if name is None:
        console.print(overview())
    else:
        show(find_method(name), console)


def overview() -> Table:
    """Every method, family by family."""
    table = _table("family", "method", "what it does", "source")
    for family, members in groupby(sorted(map(find_method, METHODS), key=_place), lambda method: method.family):
        for number, method in enumerate(members):
            table.add_row("" if number else family, method.name, method.meaning, method.source)
        table.add_section()
    return table


def _place(method: Method) -> int:
    return FAMILIES.index(method.family)


def show(method: Method, console: Console) -> None:
    """Print a method's card: what it does, where it is from, what was never held against that, and its settings."""

    def say(what: str, told: str) -> None:
        console.print(f"{what:<12} {told}", highlight=False, soft_wrap=True)

    say(method.name, method.meaning)
    say("family", method.family)
    say("source", method.source)
    if method.unverified:
        say("unverified", method.unverified)
    for trap in method.traps:
        say("note", trap)
    if read := method.needs(method.settings()).data:
        say("reads", f"{', '.join(read)}, made of the texts: `lethe benchmark show` shows rows of each")
    say("candidates", ", ".join(method.roles))
    spaces = spaces_of(method.name)
    table = _table("setting", "default", *(f"searched, {name}" for name in spaces), "meaning")
    for setting, allowed in method.settings.allowed().items():
        searched = [_range(space[setting]) if setting in space else "" for space in spaces.values()]
        choices = f" ({', '.join(allowed.choices)})" if allowed.choices else ""
        default = str(method.settings.defaults()[setting])
        table.add_row(setting, default, *searched, f"{allowed.meaning}{choices}")
    console.print(table)
    switches = _table("switch", "levels, of which the first is the baseline's")
    for switch, levels in switches_of(method.name)[SMALL].items():
        switches.add_row(switch, ", ".join(levels))
    console.print(switches)


def _range(entry: Any) -> str:
    kind, *bounds = entry
    return ", ".join(map(str, bounds[0])) if kind == "choice" else " to ".join(f"{end:g}" for end in bounds)


def _table(*names: str) -> Table:
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, no_wrap=name in ("family", "method", "setting", "switch"))
    return table
