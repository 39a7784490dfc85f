"""The spaces of ICU: learning rate, weights of its three parts, and from where on a text counts as forgotten."""

from search_spaces import descent, weighted

WEIGHTS = {
    "forget_weight": ("log_uniform", 0.2, 2.0),
    "pair_weight": ("log_uniform", 0.1, 2.0),
    "kl_weight": ("log_uniform", 0.1, 5.0),
    "forgotten_below": ("uniform", 0.1, 0.5),
}
SPACE = {"lr": ("log_uniform", 1e-4, 5e-3), **WEIGHTS}
SPACE_7B = {"lr": ("log_uniform", 1e-6, 5e-5), **WEIGHTS}

SETTINGS_7B = {**weighted.SETTINGS_7B, "lr": 5e-6}  # arXiv 2407.20271

SWITCHES: dict[str, descent.Switch] = {
    "pair": {"both": {}, "gdr": {"kl_weight": 0.0}, "klr": {"pair_weight": 0.0}},
    "leaving": {"on": {}, "never": {"forgotten_below": 0.0}},
    **weighted.LONE_SWITCHES,
}
MEANINGS = {
    "pair=gdr": "neighbours are learned, and nothing holds the model near the target on them",
    "pair=klr": "the model is held near the target on neighbours, which are not learned",
    "leaving=never": "no text leaves, however little of it is still told",
    **descent.MEANINGS,
}
