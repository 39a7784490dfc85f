"""run.json in a folder of `lethe train`: which run the folder is of, and what came of it. No torch.

So no run writes among another's weights: a folder is taken by a new run, or gone on with, with --resume, by its own.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainables.methods import find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.settings import Settings
from trainables.task import Task

NAME = "run.json"


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """A run: its key, what was asked for, and, once it has ended, its results."""

    task: Mapping[str, Any]
    settings: Mapping[str, Any]
    key: str | None = None  # None as long as data and models were not looked at
    results: list[dict[str, Any]] | None = None

    @classmethod
    def of(cls, task: Task, settings: Settings, key: str | None = None) -> "RunFile":
        """What is asked for; the cache is no part of it, and stresses are those of searches."""
        asked = {name: value for name, value in asdict(task).items() if name not in ("cache", "stresses")}
        return cls(task=asked, settings={"method": settings.method, **asdict(settings)}, key=key)

    def write(self, folder: Path) -> None:
        """Write it into its folder, at one stroke."""
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{NAME}"
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(folder / NAME)


def check_folder(folder: Path, run: RunFile, *, resume: bool) -> RunFile | None:
    """Return what is known of this very run in its folder; None where the folder is new or empty.

    ValueError where the folder holds another run or anything else, or this run and nobody said `resume`.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {str(folder)!r} is not a folder")
    if not folder.exists() or not any(folder.iterdir()):
        return None
    there = _read(folder)
    if there is None:
        raise ValueError(f"{str(folder)!r} is not empty, and holds no run of this command: choose another --out")
    if found := differences(there, run):
        raise ValueError(f"{str(folder)!r} holds another run ({found}): choose another --out")
    if not resume:
        raise ValueError(f"{str(folder)!r} holds this run: go on with --resume, or choose another --out")
    return there


def differences(there: RunFile, run: RunFile) -> str:
    """How a run that lies in a folder differs from the one that is asked for; "" where it is the same."""
    defaults = {"method": MeanTeacher.method, **find_method(run.settings["method"]).settings.defaults()}
    pairs = [({"split": False, **there.task}, run.task), ({**defaults, **there.settings}, run.settings)]
    found = [
        f"{name} {old.get(name)}, not {new.get(name)}"
        for old, new in pairs
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    ]
    if not found and run.key and there.key != run.key:
        found = ["its data, its models or the code have changed since"]
    return "; ".join(found)


def _read(folder: Path) -> RunFile | None:
    try:
        return RunFile(**json.loads((folder / NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
