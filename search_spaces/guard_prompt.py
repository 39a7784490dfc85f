"""The space of the prompt guard: which instruction, and how many names at most. The same for models of every size."""

from search_spaces.descent import Switch

SPACE = {
    "wording": ("choice", ("unread", "refuse", "silent")),
    "names": ("integer", 1, 64),
}
SPACE_7B = SPACE

SWITCHES: dict[str, Switch] = {
    "wording": {"unread": {"wording": "unread"}, "refuse": {"wording": "refuse"}, "silent": {"wording": "silent"}},
    "names": {"8": {"names": 8}, "1": {"names": 1}, "64": {"names": 64}},
}
MEANINGS = {
    "wording=refuse": "the instruction is to say that it is not known, not to know nothing",
    "wording=silent": "what follows is described, in the place of who answers",
    "names=1": "one name is named, not up to eight",
    "names=64": "up to 64 names are named, not up to eight",
}
