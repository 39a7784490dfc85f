"""What a warm worker runs, trial after trial. No torch until a worker calls it: a driver hands it over without."""

import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from trainables.settings import Settings
from trainables.task import Task


def make_session(
    task: Task, base: Settings, folder: str, arms: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Callable[[dict[str, Any]], Iterator[dict[str, Any]]]:
    """Return what a warm worker runs: a function from a trial's `{"trial": number, **parameters}` to its results.

    Parameters replace those of `base`; one that is called `arm` stands for the settings that `arms` has for it. Files
    go to `folder/trial-<number>`, where `folder` may be a URL.
    """
    gc.disable()  # what is imported is no garbage, and to look through it takes a sixth of the time of importing
    from trainables.runs.unlearning import Unlearner

    gc.freeze()
    gc.enable()
    unlearner = Unlearner(task, base.score_batch)

    def session(trial: dict[str, Any]) -> Iterator[dict[str, Any]]:
        parameters = {name: value for name, value in trial.items() if name not in ("trial", "arm")}
        settings = arms[trial["arm"]] if "arm" in trial else {}
        yield from unlearner(replace(base, **{**settings, **parameters}), trial_folder(folder, trial["trial"]))

    return session


def trial_folder(folder: str, trial: int) -> str:
    """Where a trial writes."""
    return f"{folder}/trial-{trial:05d}"
