"""The space of attention shifting: learning rate, weights of turning and of refusing, which blocks, what rank."""

from search_spaces import descent, weighted

SPACE = {
    "lr": ("log_uniform", 3e-4, 3e-2),
    "forget_weight": ("log_uniform", 0.1, 10.0),
    "response_weight": ("log_uniform", 0.1, 10.0),
    "third": ("choice", ("middle", "first", "last")),
    "lora_rank": ("choice", (4, 8)),
}
SPACE_7B = {
    "lr": ("log_uniform", 1e-5, 1e-3),
    "forget_weight": ("log_uniform", 0.1, 10.0),
    "response_weight": ("log_uniform", 0.1, 10.0),
    "third": ("choice", ("middle", "first", "last")),
    "lora_rank": ("choice", (4, 8, 16)),
}

SETTINGS_7B = {"lr": 1e-4, "max_length": 512}  # ours: the rate of adapters, and pieces whose attention fits

SWITCHES: dict[str, descent.Switch] = {
    "suppression": {"on": {}, "none": {"forget_weight": 0.0}},
    "held": {"on": {}, "none": {"retain_weight": 0.0}},
    "response": {"on": {}, "none": {"response_weight": 0.0}},
    "third": {"middle": {"third": "middle"}, "first": {"third": "first"}, "last": {"third": "last"}},
    **{name: levels for name, levels in weighted.LONE_SWITCHES.items() if name not in ("embeddings", "mask")},
    "corpus": descent.SWITCHES["corpus"],
}
MEANINGS = {
    "suppression=none": "attention on forget text is left as it is",
    "held=none": "nothing holds the model on retain text",
    "response=none": "nothing is refused",
    "third=first": "attention of the first third of the blocks is looked at, not of the middle one",
    "third=last": "attention of the last third of the blocks is looked at, not of the middle one",
    **{level: words for level, words in descent.MEANINGS.items() if not level.startswith("embeddings")},
}
