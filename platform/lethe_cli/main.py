"""The `lethe` command. A failure of a user's input, a server or a disk is one line on standard error, exit code 2."""

import os
import signal
import sys
from collections.abc import Callable, Container
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import typer

from lethe.cluster.cores import share_cores
from lethe_cli.ablate import ablate
from lethe_cli.arena import arena
from lethe_cli.audit import audit
from lethe_cli.benchmark import benchmark_app
from lethe_cli.dashboard import dashboard
from lethe_cli.handing_over import delete, export, front, harness, list_studies, recommend, verify
from lethe_cli.imports import import_results
from lethe_cli.methods import methods
from lethe_cli.output import check_output, keep_output
from lethe_cli.plan import plan
from lethe_cli.report import report
from lethe_cli.surroundings import check_arguments, check_here, check_home
from lethe_cli.train import train
from lethe_cli.tune import tune
from trainables.failures import OutOfMemory, enough_memory

GOES_ON = "; the same command with --resume goes on"
SHOW_CURSOR = "\x1b[?25h"  # which a display of progress hides


def main() -> None:
    """The entry point of `lethe`."""
    app = new_app()
    app.command("tune")(tune)
    app.command("arena")(arena)
    app.command("ablate")(ablate)
    app.command("list")(list_studies)
    app.command("front")(front)
    app.command("recommend")(recommend)
    app.command("report")(report)
    app.command("audit")(audit)
    app.command("export")(export)
    app.command("verify")(verify)
    app.command("harness")(harness)
    app.command("delete")(delete)
    app.command("import")(import_results)
    app.command("train")(train)
    app.command("plan")(plan)
    app.command("methods")(methods)
    app.command("dashboard")(dashboard)
    app.add_typer(benchmark_app, name="benchmark")
    run(app, sys.argv[1:] or ["--help"])


def run_command(command: Callable[..., None]) -> None:
    """The entry point of a script that is one command."""
    app = new_app()
    app.command()(command)
    run(app, sys.argv[1:])


def new_app() -> typer.Typer:
    """A Typer application that leaves errors to `run`."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Find the unlearning recipe to ship, and prove it.",
    )


def run(app: typer.Typer, arguments: list[str]) -> None:
    """Run an application and turn its errors into one line and an exit code: 2 for bad input, 130 for Ctrl-C."""
    keep_output()
    interrupts = Interrupts(GOES_ON if resumes(app, arguments) else "")
    os.environ |= share_cores(os.environ)  # before anything loads torch
    try:
        check_home()
        check_here()
        with enough_memory("running this command"):
            code = invoke(app, spread(check_arguments(arguments), several(app, arguments)))
        check_output()
    except (typer.Abort, KeyboardInterrupt):
        interrupts.tell()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python's own end would give one more its default, a death of it
        code = 130
    except (typer.TyperException, ValueError, OSError, OutOfMemory) as error:
        fail(explain(error))
    except failures_of_stores() as error:
        from lethe.store.storage import why

        fail(f"the study store failed: {why(error)}")
    sys.exit(code)


def failures_of_stores() -> tuple[type[Exception], ...]:
    """What a store raises; asked for when something was raised, since optuna takes half a second to load."""
    from lethe.store.storage import FAILURES

    return FAILURES


def invoke(app: typer.Typer, arguments: list[str]) -> int:
    """Run an application and return its exit code; Typer's own way of it would turn Ctrl-C into one without a word."""
    command = typer.main.get_command(app)
    try:
        with command.make_context(Path(sys.argv[0]).name, arguments) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0


class Interrupts:
    """Ctrl-C and SIGTERM: the first is a KeyboardInterrupt, after which all ends in order; the next one ends at once.

    Whichever of them ends it, and however many there are, one line tells so, and with `hint` how to go on.
    """

    def __init__(self, hint: str) -> None:
        self._line = f"interrupted{hint}\n"
        self._seen = self._told = False
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # by which `ray job stop` ends it

    def tell(self) -> None:
        """Say once that all was interrupted."""
        if not self._told:
            self._told = True
            _write(2, self._line)

    def _interrupt(self, signum: int, frame: Any) -> None:
        if not self._seen:
            self._seen = True
            raise KeyboardInterrupt
        self.tell()
        _write(1, SHOW_CURSOR if os.isatty(1) else "")
        os._exit(130)  # what Ray started here ends when it misses this process


def _write(number: int, text: str) -> None:
    """Write to a standard stream past its buffer, in which a signal may have found a write."""
    with suppress(OSError):
        os.write(number, text.encode())


def options(app: typer.Typer, arguments: list[str]) -> list[Any]:
    """The options of the command that was typed, as Typer keeps them."""
    found: Any = typer.main.get_command(app)
    for word in arguments:
        found = getattr(found, "commands", {}).get(word, found)
    return list(found.params)


def resumes(app: typer.Typer, arguments: list[str]) -> bool:
    """Whether the command that was typed has --resume."""
    return any("--resume" in option.opts for option in options(app, arguments))


def several(app: typer.Typer, arguments: list[str]) -> set[str]:
    """The flags of the command that was typed that take several values."""
    return {flag for option in options(app, arguments) if getattr(option, "multiple", False) for flag in option.opts}


def spread(arguments: list[str], several: Container[str]) -> list[str]:
    """Give each of several values behind one flag a flag of its own: `--forget a b` -> `--forget a --forget b`."""
    out: list[str] = []
    flag = None
    for previous, argument in zip([None, *arguments], arguments, strict=False):
        if argument.startswith("-"):
            flag = argument if argument in several else None
        elif flag and previous != flag:
            out.append(flag)
        out.append(argument)
    return out


def explain(error: Exception) -> str:
    """What an error says, with what Typer leaves out: the value that does not parse, and the flags that there are."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    details = getattr(error.__cause__ or error.__context__, "errors", None)
    if callable(details):
        message += f" (given: {details()[0]['input']!r})"
    context, option = getattr(error, "ctx", None), getattr(error, "option_name", None)
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{error.filename!r}: {error.strerror}"
    if context and option:
        flags = [flag for parameter in context.command.params for flag in parameter.opts if flag.startswith("-")]
        message = f"No such option: {option} (choose {', '.join(flags)})"
    return message


def fail(message: str) -> NoReturn:
    """Print one line and leave with exit code 2."""
    print("error: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(2)
