"""The space of ascent with cross-entropy on retain text: learning rate, and the ratio of the two."""

from search_spaces import descent, weighted

SPACE, SPACE_7B, SETTINGS_7B = weighted.SPACE, weighted.SPACE_7B, weighted.SETTINGS_7B
SWITCHES = {**weighted.RETAIN_LOSS, **descent.SWITCHES}
MEANINGS = weighted.MEANINGS
