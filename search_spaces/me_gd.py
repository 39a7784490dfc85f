"""The space of maximal entropy: learning rate and weight of the forget loss."""

from search_spaces import descent, weighted

SPACE = {**weighted.SPACE, "forget_weight": ("log_uniform", 0.01, 3.0)}
SPACE_7B = {**weighted.SPACE_7B, "forget_weight": ("log_uniform", 0.01, 1.0)}
SETTINGS_7B = {**weighted.SETTINGS_7B, "forget_weight": 0.1}  # arXiv 2410.08109

SWITCHES = {**weighted.RETAIN_TERM, **descent.SWITCHES}
MEANINGS = weighted.MEANINGS
