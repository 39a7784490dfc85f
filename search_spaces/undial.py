"""The space of UNDIAL: learning rate, how long, and by how much a token's logit is lowered."""

from search_spaces import weighted

SPACE = {**weighted.LONE, "undial_strength": ("log_uniform", 1.0, 20.0)}
SPACE_7B = {**weighted.LONE_7B, "undial_strength": ("log_uniform", 1.0, 40.0)}

# arXiv 2402.10052, but for the learning rate, which is MUSE's: the paper's 1e-4 is of LoRA.
SETTINGS_7B = {**weighted.SETTINGS_7B, "undial_strength": 10.0}

SWITCHES = {**weighted.RETAIN_TERM_ADDED, **weighted.LONE_SWITCHES}
MEANINGS = weighted.MEANINGS
