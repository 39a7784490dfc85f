"""What a benchmark brings by itself, joined from search_spaces.presets, and what is said of it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lethe_cli.checks import split_settings
from search_spaces.methods import SMALL, settings_7b_of
from search_spaces.presets import (
    NOT_THE_PAPERS,
    PRESET_GPUS,
    PRESET_SETTINGS,
    PRESET_SIZES,
    PRESET_WORKERS,
    SHARED,
)
from trainables.methods import find_method
from trainables.methods.mean_teacher import MeanTeacher


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Settings, space, workers and GPUs of a worker that hold where no flag says otherwise."""

    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    strange: Mapping[str, str] = field(default_factory=dict)  # settings that are not the paper's, and what it has
    size: str = SMALL  # of models, by which a method's space and switches are chosen
    workers: int = 1
    gpus: float = 0

    def notes(self, settings: Sequence[str], searched: Container[str] = ()) -> list[str]:
        """A line that names the settings in use, and one for each of them that is not the paper's; none without.

        Those of `--set` and the searched ones are left out.
        """
        own = split_settings(settings)
        used = {name: value for name, value in self.settings.items() if name not in own and name not in searched}
        values = " ".join(f"{name}={str(value).lower()}" for name, value in used.items())
        others = [f"preset {self.name}: {words}" for name, words in self.strange.items() if name in used]
        return [f"preset {self.name}: {values}", *others] if used else []


def find_preset(benchmark: str, method: str = MeanTeacher.method) -> Preset:
    """The preset of a named benchmark for a method; of any other benchmark, Lethe's defaults."""
    if benchmark not in PRESET_SETTINGS:
        return Preset()
    settings = PRESET_SETTINGS[benchmark]
    if method != MeanTeacher.method:
        known = find_method(method).settings.types()
        shared = [name for name in SHARED if name in settings and name in known]
        settings = {name: settings[name] for name in shared} | settings_7b_of(method)
    return Preset(
        name=benchmark,
        settings=settings,
        strange=NOT_THE_PAPERS if method == MeanTeacher.method else {},
        size=PRESET_SIZES[benchmark],
        workers=PRESET_WORKERS[benchmark],
        gpus=PRESET_GPUS[benchmark],
    )
