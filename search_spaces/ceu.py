"""The space of CE-U: learning rate, how long, and how many tokens at the beginning of a sequence are left."""

from search_spaces import weighted

SPACE = {**weighted.LONE, "skip_first": ("choice", (0, 1))}
SPACE_7B = {**weighted.LONE_7B, "skip_first": ("choice", (0, 1, 2))}
SETTINGS_7B = {**weighted.SETTINGS_7B, "skip_first": 1}  # arXiv 2503.01224

SWITCHES = {
    **weighted.RETAIN_TERM_ADDED,
    "first_token": {"left": {}, "unlearned": {"skip_first": 0}},
    **weighted.LONE_SWITCHES,
}
MEANINGS = {"first_token=unlearned": "the first token of a sequence is unlearned too", **weighted.MEANINGS}
