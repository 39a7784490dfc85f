"""The space of the task vector: how far the forget text is learned once more, and the largest multiple taken away."""

from search_spaces import descent

SPACE = {
    "lr": ("log_uniform", 1e-4, 1e-2),
    "steps": ("integer", 10, 120),
    "alpha": ("log_uniform", 1.0, 32.0),
}

# Llama-2-7B: around MUSE's AdamW at 1e-5, where its multiples of 1 to 16 did nothing to News. Ranges are ours.
SPACE_7B = {
    "lr": ("log_uniform", 1e-6, 1e-4),
    "steps": ("integer", 50, 2000),
    "alpha": ("log_uniform", 4.0, 1024.0),
}

# arXiv 2407.06460
SETTINGS_7B = {"lr": 1e-5, "optimizer": "adamw", "warmup_steps": 0, "alpha": 16.0, "halvings": 4}

SWITCHES: dict[str, descent.Switch] = {
    "optimizer": {"adamw": {"optimizer": "adamw"}, "sgd": {"optimizer": "sgd", "lr": 0.1}},
    **{name: levels for name, levels in descent.SWITCHES.items() if name != "corpus"},
    "request": {level: of for level, of in descent.SWITCHES["request"].items() if level != "sust"},
}
# The paper of the mean teacher moves a 7B model by SGD at 5e-4.
SGD_7B = {"optimizer": "sgd", "lr": 5e-4}
SWITCHES_7B = SWITCHES | {"optimizer": {"adamw": {"optimizer": "adamw"}, "sgd": SGD_7B}}
MEANINGS = {
    "optimizer=sgd": "SGD with momentum in the place of AdamW",
    **{level: words for level, words in descent.MEANINGS.items() if not level.startswith("corpus")},
}
