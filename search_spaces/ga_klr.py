"""The space of ascent with the divergence from the target on retain text: that of its sibling with cross-entropy."""

from search_spaces import ga_gdr

SPACE, SPACE_7B, SETTINGS_7B = ga_gdr.SPACE, ga_gdr.SPACE_7B, ga_gdr.SETTINGS_7B
SWITCHES, MEANINGS = ga_gdr.SWITCHES, ga_gdr.MEANINGS
