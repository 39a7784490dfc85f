"""The space of SimNPO: learning rate, weight of the forget loss, inverse temperature and margin."""

from search_spaces import descent, weighted

OWN = {"simnpo_beta": ("log_uniform", 0.5, 10.0), "simnpo_gamma": ("uniform", 0.0, 2.0)}
SPACE = {**weighted.SPACE, **OWN}
SPACE_7B = {**weighted.SPACE_7B, **OWN}

# The paper's for TOFU, arXiv 2410.07163: those of its public code for MUSE are of another loss, on raw logits.
SETTINGS_7B = {**weighted.SETTINGS_7B, "simnpo_beta": 2.5, "forget_weight": 0.1375}

SWITCHES = {**weighted.RETAIN_TERM, "margin": {"0": {}, "1": {"simnpo_gamma": 1.0}}, **descent.SWITCHES}
MEANINGS = {"margin=1": "what is unlikely already is lowered further, by a margin of 1", **weighted.MEANINGS}
