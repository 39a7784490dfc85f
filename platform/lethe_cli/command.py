"""A function of a dataclass of flags becomes a command of Typer's; and how such a command ends."""

import functools
import json
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import Field, fields
from inspect import Parameter, Signature
from typing import Annotated, Any, get_args, get_type_hints

import typer

from lethe_cli.flags import Flags, Texts


def command(run: Callable[[Any], None]) -> Callable[..., None]:
    """Return a function with a parameter for each field of the flags that `run` takes, as Typer reads them.

    What it is called with becomes the object of flags; a flag that is not given has its field's default.
    """
    kind = get_type_hints(run)["flags"]

    @functools.wraps(run)
    def typed(**given: Any) -> None:
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        run(kind(**{name: value for name, value in values.items() if value is not None}))

    typed.__signature__ = Signature(parameters(kind))  # type: ignore[attr-defined]
    return typed


def parameters(kind: type[Flags]) -> list[Parameter]:
    """The parameters of a command in the order of its help."""
    hints = get_type_hints(kind, include_extras=True)
    shown = sorted(fields(kind), key=lambda field: _place(kind, field.name))
    return [_parameter(field, hints[field.name], kind.HELP.get(field.name)) for field in shown]


def _place(kind: type[Flags], name: str) -> tuple[int, int]:
    """Where a flag stands: one that is named neither first nor last keeps the place it was defined in."""
    if name in kind.FIRST:
        return 0, kind.FIRST.index(name)
    return (2, kind.LAST.index(name)) if name in kind.LAST else (1, 0)


def _parameter(field: "Field[Any]", hint: Any, words: str | None) -> Parameter:
    base, option = get_args(hint)
    if words is not None:
        option = copy(option)
        option.help = words
    several = base == Texts  # Typer reads a tuple's type as one value of so many words, and a list's as several
    return Parameter(
        field.name,
        Parameter.KEYWORD_ONLY,
        default=None if several else field.default,
        annotation=Annotated[list[str] | None if several else base, option],
    )


def end(outcome: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what came of a command as JSON where that is asked for, and leave with its exit code.

    That is 130 where it was interrupted, and 1 where all that it ran failed.
    """
    if as_json:
        print(json.dumps(outcome, indent=2, default=_plain))
    if outcome.get("interrupted"):
        raise typer.Exit(130)
    if outcome.get("failure"):
        raise typer.Exit(1)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's, for JSON."""
    return value.item() if hasattr(value, "item") else str(value)
