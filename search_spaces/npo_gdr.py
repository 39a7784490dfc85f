"""The space of NPO with cross-entropy on retain text: learning rate, weight of the forget loss, inverse temperature."""

from search_spaces import descent, weighted

SPACE = {**weighted.SPACE, "forget_weight": ("log_uniform", 0.1, 10.0), "npo_beta": ("log_uniform", 0.05, 2.0)}
SPACE_7B = {**weighted.SPACE_7B, "npo_beta": ("log_uniform", 0.01, 1.0)}
SETTINGS_7B = {**weighted.SETTINGS_7B, "npo_beta": 0.1}

SWITCHES = {**weighted.RETAIN_LOSS, **descent.SWITCHES}
MEANINGS = weighted.MEANINGS
