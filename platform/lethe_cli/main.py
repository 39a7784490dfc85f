"""The `lethe` command. A failure of a user's input, or of a server, is one line on standard error and exit code 2."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import typer

from lethe.cores import share_cores
from lethe_cli.ablate import ablate
from lethe_cli.benchmark import benchmark_app
from lethe_cli.dashboard import dashboard
from lethe_cli.plan import plan
from lethe_cli.report import report
from lethe_cli.train import train
from lethe_cli.tune import tune


def main() -> None:
    """The entry point of `lethe`."""
    app = new_app()
    app.command("tune")(tune)
    app.command("ablate")(ablate)
    app.command("report")(report)
    app.command("train")(train)
    app.command("plan")(plan)
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
    signal.signal(signal.SIGTERM, _as_interrupt)
    os.environ |= share_cores()  # before anything loads torch
    try:
        code = app(spread(arguments), standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        print("interrupted; the same command with --resume goes on", file=sys.stderr)
        sys.exit(130)
    except (typer.TyperException, ValueError, ConnectionError) as error:
        fail(explain(error))
    sys.exit(code or 0)


def spread(arguments: list[str]) -> list[str]:
    """Give each of several values behind one flag a flag of its own: `--forget a b` -> `--forget a --forget b`."""
    out: list[str] = []
    flag = None
    for previous, argument in zip([None, *arguments], arguments, strict=False):
        if argument.startswith("-"):
            flag = argument if argument in MANY else None
        elif flag and previous != flag:
            out.append(flag)
        out.append(argument)
    return out


MANY = ("--forget", "--retain", "--holdout", "--set", "--range", "--switch", "--generators")


def explain(error: Exception) -> str:
    """What an error says, with what Typer leaves out: the value that does not parse, and the flags that there are."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    details = getattr(error.__cause__ or error.__context__, "errors", None)
    if callable(details):
        message += f" (given: {details()[0]['input']!r})"
    context, option = getattr(error, "ctx", None), getattr(error, "option_name", None)
    if context and option:
        flags = [flag for parameter in context.command.params for flag in parameter.opts if flag.startswith("-")]
        message = f"No such option: {option} (choose {', '.join(flags)})"
    return message


def fail(message: str) -> None:
    """Print one line and leave with exit code 2."""
    print("error: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(2)


def _as_interrupt(signum: int, frame: Any) -> None:
    """SIGTERM, by which `ray job stop` ends a job, does whatever Ctrl-C does at that moment."""
    signal.raise_signal(signal.SIGINT)
