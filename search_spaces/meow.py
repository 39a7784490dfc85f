"""The space of MEOW: learning rate, how long, and which answers are taught."""

from search_spaces import weighted

OWN = {
    "inverted": ("integer", 2, 5),
    "top_k": ("integer", 1, 4),
    "pick": ("choice", ("largest", "smallest", "random")),
    "memo_stride": ("choice", (5, 10, 20)),
}
SPACE = {**weighted.LONE, **OWN}
SPACE_7B = {**weighted.LONE_7B, **OWN, "memo_stride": ("choice", (5, 10))}
SETTINGS_7B = {**weighted.SETTINGS_7B, "answers": "own"}  # arXiv 2409.11844

SWITCHES = {
    **weighted.RETAIN_TERM_ADDED,
    "pick": {"largest": {}, "smallest": {"pick": "smallest"}, "random": {"pick": "random"}},
    "answers": {"wrong": {}, "own": {"answers": "own"}},
    **weighted.LONE_SWITCHES,
}
MEANINGS = {
    "pick=smallest": "the answers that the target finds unlikeliest are taught, not the likeliest",
    "pick=random": "answers are taught whatever the target makes of them",
    "answers=own": "what the target writes itself is taught, not wrong objects",
    **weighted.MEANINGS,
}
