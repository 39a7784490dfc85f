"""The space of whp: how fast its labels are learned, how far they lie from the target's words, and of which kind."""

from search_spaces import descent, weighted

SPACE = {
    "lr": ("log_uniform", 1e-4, 1e-2),
    "steps": ("integer", 20, 120),
    "alpha": ("log_uniform", 0.5, 10.0),
    "labels": ("choice", ("hard", "soft")),
}

# Llama-2-7B: around the paper's 1e-6, 150 steps and alpha 5. Ranges are ours.
SPACE_7B = {
    "lr": ("log_uniform", 1e-7, 1e-5),
    "steps": ("integer", 50, 500),
    "alpha": ("log_uniform", 1.0, 10.0),
    "labels": ("choice", ("hard", "soft")),
}

SETTINGS_7B = {"lr": 1e-6, "steps": 150, "overfit_lr": 3e-6, "warmup_steps": 0}  # arXiv 2310.02238

SWITCHES: dict[str, descent.Switch] = {
    "labels": {"hard": {"labels": "hard"}, "soft": {"labels": "soft"}},
    "lowering": {"on": {}, "none": {"alpha": 0.0}},
    **weighted.LONE_SWITCHES,
}
MEANINGS = {
    "labels=soft": "the 64 likeliest words are learned, not the likeliest alone",
    "lowering=none": "words are the target's where names are replaced, and nothing is lowered",
    **weighted.MEANINGS,
}
