"""The space of ascent with MUSE's raw-logit term on retain text: that of its right form."""

from search_spaces import ga_klr

SPACE, SPACE_7B, SETTINGS_7B = ga_klr.SPACE, ga_klr.SPACE_7B, ga_klr.SETTINGS_7B
SWITCHES, MEANINGS = ga_klr.SWITCHES, ga_klr.MEANINGS
