"""What a benchmark brings by itself, joined from search_spaces.presets, and what is said of it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lethe_cli.checks import split_settings
from search_spaces.presets import NOT_THE_PAPERS, PRESET_GPUS, PRESET_SETTINGS, PRESET_SPACES, PRESET_WORKERS


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Settings, space, workers and GPUs of a worker that hold where no flag says otherwise."""

    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    space: str = "mean-teacher"
    workers: int = 1
    gpus: float = 0

    def notes(self, settings: Sequence[str], searched: Container[str] = ()) -> list[str]:
        """A line that names the settings in use, and one for each of them that is not the paper's; none without.

        Those of `--set` and the searched ones are left out.
        """
        own = split_settings(settings)
        used = {name: value for name, value in self.settings.items() if name not in own and name not in searched}
        values = " ".join(f"{name}={str(value).lower()}" for name, value in used.items())
        others = [f"preset {self.name}: {words}" for name, words in NOT_THE_PAPERS.items() if name in used]
        return [f"preset {self.name}: {values}", *others] if used else []


def find_preset(benchmark: str) -> Preset:
    """The preset of a named benchmark; of any other, Lethe's defaults."""
    if benchmark not in PRESET_SETTINGS:
        return Preset()
    return Preset(
        name=benchmark,
        settings=PRESET_SETTINGS[benchmark],
        space=PRESET_SPACES[benchmark],
        workers=PRESET_WORKERS[benchmark],
        gpus=PRESET_GPUS[benchmark],
    )
