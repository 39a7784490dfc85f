"""The space of bld: learning rate, how many logits are learned, how much is pressed down, and whose answers."""

from search_spaces import descent, weighted

SPACE = {
    "lr": ("log_uniform", 1e-4, 1e-2),
    "top_k": ("integer", 16, 128),
    "backward": ("uniform", 0.0, 5.0),
    "taught": ("choice", ("refusals", "own")),
}
SPACE_7B = {
    "lr": ("log_uniform", 1e-6, 1e-4),
    "top_k": ("integer", 64, 2000),
    "backward": ("uniform", 0.0, 5.0),
    "taught": ("choice", ("refusals", "own")),
}

SETTINGS_7B = {"lr": 1e-5, "top_k": 1000, "taught": "own", "warmup_steps": 0}  # arXiv 2604.15482, by its summary

SWITCHES: dict[str, descent.Switch] = {
    "backward": {"on": {}, "none": {"backward": 0.0}},
    "taught": {"refusals": {"taught": "refusals"}, "own": {"taught": "own"}},
    **weighted.RETAIN_LOSS,
    **weighted.LONE_SWITCHES,
}
MEANINGS = {
    "backward=none": "what the teacher does not find likely is not pressed down",
    "taught=own": "the teacher's answers are its own, not refusals",
    **weighted.MEANINGS,
}
