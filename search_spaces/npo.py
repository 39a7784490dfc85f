"""The space of NPO alone: learning rate, inverse temperature, and how long; AdamW sees nothing of a lone weight."""

from search_spaces import npo_gdr, weighted

SPACE = {**weighted.LONE, "npo_beta": npo_gdr.SPACE["npo_beta"]}
SPACE_7B = {**weighted.LONE_7B, "npo_beta": npo_gdr.SPACE_7B["npo_beta"]}
SETTINGS_7B = npo_gdr.SETTINGS_7B

SWITCHES = weighted.LONE_SWITCHES
MEANINGS = weighted.MEANINGS
