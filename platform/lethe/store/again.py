"""The command line that runs a trial again, from what its study knows of itself."""

from collections.abc import Mapping
from typing import Any

from lethe.store.places import STEP, whole

SCRIPT = "platform/train_mt.py"
NAMED = ("benchmark", "model", "retrained", "protocol", "method")  # what a study's facts and a run's flags call alike


def run_again(about: Mapping[str, Any], settings: Mapping[str, Any], axis: str, at: float) -> list[str]:
    """The script and its flags that run `settings` on a study's task, up to a candidate that stands `at` on the steps.

    `about` are the study's facts. On another axis than that of the steps a run goes to its end.
    """
    flags = [part for name in NAMED if about.get(name) for part in (f"--{name}", about[name])]
    upto = {"steps": whole(at)} if axis == STEP else {}
    flags += [part for name, value in {**settings, **upto}.items() for part in ("--set", f"{name}={value}")]
    return [SCRIPT, *map(str, flags)]
