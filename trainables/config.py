"""The mean teacher's settings by their old name."""

from typing import Any

from trainables.methods.mean_teacher import MeanTeacher as Config


def parse_config(settings: dict[str, str], **values: Any) -> Config:
    """Make a Config from text settings."""
    return Config.parse(settings, **values)
