"""The spaces of EGUP: those of NPO with cross-entropy on retain text, and what weighs texts and bounds them."""

from search_spaces import descent, npo_gdr, weighted

OWN = {
    "egup_tau": ("log_uniform", 0.02, 1.0),
    "proxy_weight": ("log_uniform", 0.1, 10.0),
    "egup_shift": ("uniform", 0.1, 1.0),
}
SPACE = {**npo_gdr.SPACE, **OWN}
SPACE_7B = {**npo_gdr.SPACE_7B, **OWN}
SETTINGS_7B = {**npo_gdr.SETTINGS_7B, "shift_every": 10}

SWITCHES: dict[str, descent.Switch] = {
    "bound": {"on": {}, "none": {"proxy_weight": 0.0}},
    "entanglement": {"on": {}, "none": {"egup_tau": 1e6}},
    **weighted.RETAIN_LOSS,
    **descent.SWITCHES,
}
MEANINGS = {
    "bound=none": "no text is held at the loss of text that nobody read",
    "entanglement=none": "texts weigh alike, however near they are to retained ones",
    **weighted.MEANINGS,
}
