"""The space of gradient ascent alone: learning rate, and how long."""

from search_spaces import weighted

SPACE, SPACE_7B, SETTINGS_7B = weighted.LONE, weighted.LONE_7B, weighted.SETTINGS_7B
SWITCHES, MEANINGS = weighted.LONE_SWITCHES, weighted.MEANINGS
