"""The space of SatImp: learning rate, weight of the forget loss, and the powers of p and of 1 - p."""

from search_spaces import descent, weighted

SPACE = {**weighted.SPACE, "satimp_beta1": ("log_uniform", 0.5, 10.0), "satimp_beta2": ("log_uniform", 0.1, 3.0)}
SPACE_7B = {**weighted.SPACE_7B, "satimp_beta1": ("log_uniform", 1.0, 10.0), "satimp_beta2": ("log_uniform", 0.1, 3.0)}

# arXiv 2505.11953
SETTINGS_7B = {**weighted.SETTINGS_7B, "satimp_beta1": 5.0, "satimp_beta2": 1.0, "retain_weight": 0.1}

SWITCHES = {**weighted.RETAIN_TERM, **descent.SWITCHES}
MEANINGS = weighted.MEANINGS
