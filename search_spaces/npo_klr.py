"""The space of NPO with the divergence from the target on retain text: that of its sibling with cross-entropy."""

from search_spaces import npo_gdr

SPACE, SPACE_7B, SETTINGS_7B = npo_gdr.SPACE, npo_gdr.SPACE_7B, npo_gdr.SETTINGS_7B
SWITCHES, MEANINGS = npo_gdr.SWITCHES, npo_gdr.MEANINGS
