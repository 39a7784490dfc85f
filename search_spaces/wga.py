"""The space of weighted gradient ascent: learning rate, weight of the forget loss, power of the probability."""

from search_spaces import descent, weighted

SPACE = {**weighted.SPACE, "wga_beta": ("log_uniform", 0.1, 5.0)}
SPACE_7B = {**weighted.SPACE_7B, "wga_beta": ("log_uniform", 0.1, 5.0)}
SETTINGS_7B = {**weighted.SETTINGS_7B, "wga_beta": 1.0}  # arXiv 2502.19301

SWITCHES = {**weighted.RETAIN_TERM, **descent.SWITCHES}
MEANINGS = weighted.MEANINGS
