"""The space of whp_logits: how far the forget text is learned once more, and how much logits are lowered at most."""

from search_spaces import task_vector
from search_spaces.task_vector import MEANINGS, SPACE_7B, SWITCHES, SWITCHES_7B

SPACE = task_vector.SPACE | {"alpha": ("log_uniform", 2.0, 64.0)}

SETTINGS_7B = task_vector.SETTINGS_7B  # arXiv 2407.06460, which takes both from one overfitted model

__all__ = ["MEANINGS", "SETTINGS_7B", "SPACE", "SPACE_7B", "SWITCHES", "SWITCHES_7B"]
