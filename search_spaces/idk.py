"""The space of IdkNLL: learning rate, weight of the refusals, and behind what they stand."""

from search_spaces import descent, weighted

SPACE = {**weighted.SPACE, "asked": ("choice", ("qa", "pairs"))}
SPACE_7B = {**weighted.SPACE_7B, "asked": ("choice", ("qa", "pairs"))}
SETTINGS_7B = weighted.SETTINGS_7B  # TOFU's and MUSE's rates are the same

SWITCHES = {**weighted.RETAIN_TERM, "asked": {"qa": {}, "pairs": {"asked": "pairs"}}, **descent.SWITCHES}
MEANINGS = {"asked=pairs": "it refuses behind the first halves of texts, not behind questions", **weighted.MEANINGS}
