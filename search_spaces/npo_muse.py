"""The space of MUSE's raw-logit NPO: that of its right form; its retain term is one of three."""

from search_spaces import descent, npo_gdr, weighted

SPACE, SPACE_7B, SETTINGS_7B = npo_gdr.SPACE, npo_gdr.SPACE_7B, npo_gdr.SETTINGS_7B
SWITCHES: dict[str, descent.Switch] = {
    "retain_term": {
        "gdr": {"retain_term": "gdr"},
        "klr_muse": {"retain_term": "klr_muse"},
        "none": {"retain_term": "none"},
    },
    **descent.SWITCHES,
}
MEANINGS = {**weighted.MEANINGS, "retain_term=klr_muse": "MUSE's raw-logit term stands on retain text"}
