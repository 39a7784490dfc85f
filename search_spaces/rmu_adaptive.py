"""The spaces of adaptive RMU: those of RMU, with the length of the random direction as a multiple."""

from search_spaces import rmu

LENGTH = {"rmu_beta": ("log_uniform", 0.5, 20.0)}
SPACE = rmu.SHARED | LENGTH
SPACE_7B = rmu.SHARED_7B | LENGTH
SETTINGS_7B = rmu.OWN_7B | {"rmu_beta": 5.0}  # arXiv 2408.06223

SWITCHES, MEANINGS = rmu.SWITCHES, rmu.MEANINGS
