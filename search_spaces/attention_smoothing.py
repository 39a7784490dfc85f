"""The space of attention smoothing: how flat the teacher's attention is, learning rate, weight of the forget term."""

from search_spaces import descent, weighted

SPACE = {**weighted.SPACE, "tau": ("log_uniform", 1.2, 6.0)}
SPACE_7B = {**weighted.SPACE_7B, "tau": ("log_uniform", 1.2, 4.0)}

SETTINGS_7B = weighted.SETTINGS_7B | {"tau": 2.0}  # tau is ours, the rest MUSE's

SWITCHES: dict[str, descent.Switch] = {
    **weighted.RETAIN_TERM,
    "smoothing": {"3": {"tau": 3.0}, "1.5": {"tau": 1.5}, "6": {"tau": 6.0}},
    **descent.SWITCHES,
}
MEANINGS = {
    "smoothing=1.5": "attention logits are divided by 1.5, not by 3",
    "smoothing=6": "attention logits are divided by 6, not by 3",
    **weighted.MEANINGS,
}
