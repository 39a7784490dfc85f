"""The space of whp_logits: how far the forget text is learned once more, and how much logits are lowered at most."""

from search_spaces import task_vector
from search_spaces.task_vector import MEANINGS, SWITCHES, SWITCHES_7B

SPACE = {
    "lr": ("log_uniform", 1e-4, 1e-2),
    "steps": ("integer", 10, 120),
    "alpha": ("log_uniform", 2.0, 64.0),
}

# Llama-2-7B: around MUSE's AdamW at 1e-5 and its strengths of 1 to 16. Ranges are ours.
SPACE_7B = {
    "lr": ("log_uniform", 1e-6, 1e-4),
    "steps": ("integer", 50, 2000),
    "alpha": ("log_uniform", 4.0, 1024.0),
}

SETTINGS_7B = task_vector.SETTINGS_7B  # arXiv 2407.06460, which takes both from one overfitted model

__all__ = ["MEANINGS", "SETTINGS_7B", "SPACE", "SPACE_7B", "SWITCHES", "SWITCHES_7B"]
