"""What to type next, so that it works as it is printed."""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from lethe.store.urls import VARIABLE, default_storage, hide_password
from lethe_cli.flags import StudyFlags
from trainables.benchmarks import BENCHMARKS
from trainables.methods import METHODS


def as_typed(program: str) -> str:
    """How a program of this environment is called from here: `lethe` where PATH finds it, else `.venv/bin/lethe`.

    An environment that lies elsewhere, such as a cluster's, is taken to be on the reader's path.
    """
    own = Path(sys.executable).parent / program
    found = shutil.which(program)
    if (found and Path(found) == own) or not own.exists() or not own.is_relative_to(Path.cwd()):
        return program
    return str(own.relative_to(Path.cwd()))


def dashboard(storage: str) -> str:
    """The command that opens a store in the dashboard; no password is in it."""
    return _on_store(["dashboard"], storage)


def report(study: str, storage: str) -> str:
    """The command that writes an ablation's report; no password is in it."""
    return _on_store(["report", study, f"{study}.html"], storage)


def start_from(study: str, storage: str, benchmark: str, method: str) -> str:
    """The command that searches from what a study knows, on its benchmark if that has a name; no password is in it."""
    known = {"--benchmark": benchmark} if benchmark in BENCHMARKS else {}
    known |= {"--method": method} if set(method.split(",")) <= METHODS.keys() else {}
    words = [word for flag in known.items() for word in flag]
    return _on_store(["tune", *words, "--start-from", study, "--name", f"{study}-search"], storage)


def recommend(study: str, storage: str) -> str:
    """The command that names the candidate to take, and how to take it away; no password is in it."""
    return _on_store(["recommend", study], storage)


def audit(study: str, storage: str) -> str:
    """The command that says what stresses bring back in a study's candidates; no password is in it."""
    return _on_store(["audit", study], storage)


def arena(flags: StudyFlags, storage: str) -> str:
    """The command that tries every method on what a search was asked for, with its models and on its machines."""
    models = ("model", "retrained", "protocol", "objectives")
    machines = ("workers", "cpus_per_worker", "gpus_per_worker", "storage_path")
    defaults = {field.name: field.default for field in fields(flags)}
    words = ["arena", "--benchmark", flags.benchmark]
    for name in (*models, *machines):
        if (value := getattr(flags, name)) != defaults[name]:
            words += [f"--{name.replace('_', '-')}", str(value)]
    for constraint in flags.constraints:
        words += ["--constrain", constraint]
    return _on_store(words, storage)


def _on_store(words: list[str], storage: str) -> str:
    found_without = os.environ.get(VARIABLE) or default_storage()
    flags = [] if storage == found_without else ["--storage", hide_password(storage)]
    return shlex.join([as_typed("lethe"), *words, *flags])


def command_again(arguments: Sequence[str], counter: str, count: int) -> str:
    """The command line that goes on: the one that was typed, with `count` of `counter` (--trials) in all, and resumed.

    The password of a storage is hidden here too.
    """
    program, *flags = (hide_password(argument) for argument in arguments)
    kept = [flag for before, flag in zip([program, *flags], flags, strict=False) if counter not in (before, flag)]
    kept = [flag for flag in kept if flag != "--resume" and not flag.startswith(f"{counter}=")]
    start = [as_typed("lethe")] if Path(program).name == "lethe" else [as_typed("python"), program]
    return shlex.join([*start, *kept, counter, str(count), "--resume"])
