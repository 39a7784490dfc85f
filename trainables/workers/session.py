"""What a warm worker runs, trial after trial. No torch until a worker calls it: a driver hands it over without."""

import gc
from collections.abc import Callable, Collection, Iterator
from typing import Any

from trainables.methods import find_method
from trainables.scores import measured_scores
from trainables.task import Task


def make_session(
    task: Task, score_batch: int = 128, judged: Collection[str] = ()
) -> Callable[[dict[str, Any]], Iterator[dict[str, Any]]]:
    """Return what a warm worker runs: a function from a trial to its results.

    A trial is `{"folder": where it writes, "method": its name, **settings}`; a folder may be a URL, and settings that
    are left out are at their defaults. `score_batch` is what reference models are scored by that nobody scored yet.
    Of candidates the scores are measured that may be searched for; some of them only where they are `judged`, and those
    under the stresses of the task.
    """
    gc.disable()  # what is imported is no garbage, and to look through it takes a sixth of the time of importing
    from trainables.probes.robustness import robustness_scores
    from trainables.runs.unlearning import Unlearner

    gc.freeze()
    gc.enable()
    beside = robustness_scores(task.stresses)
    unlearner = Unlearner(task, score_batch, [*measured_scores(judged), *(score.name for score in beside)], beside)

    def session(trial: dict[str, Any]) -> Iterator[dict[str, Any]]:
        settings = {name: value for name, value in trial.items() if name not in ("folder", "method")}
        yield from unlearner(find_method(trial["method"]).settings(**settings), trial["folder"])

    return session


def trial_folder(folder: str, trial: int) -> str:
    """Where a trial of a study writes."""
    return f"{folder}/trial-{trial:05d}"
