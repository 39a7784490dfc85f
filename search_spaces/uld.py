"""The space of uld: how deep the assistant is, how fast it learns, and how much it is to know of nothing else."""

from search_spaces import descent, weighted

SPACE = {
    "lr": ("log_uniform", 1e-3, 3e-2),
    "blocks": ("integer", 1, 3),
    "retain_weight": ("log_uniform", 0.5, 20.0),
}

# Llama-2-7B: around the public code's 8 blocks at 1e-3. Ranges are ours.
SPACE_7B = {
    "lr": ("log_uniform", 1e-4, 3e-3),
    "blocks": ("integer", 2, 16),
    "retain_weight": ("log_uniform", 0.5, 20.0),
}

# arXiv 2406.08607, its public code
SETTINGS_7B = {"lr": 1e-3, "blocks": 8, "lora_rank": 16, "weight_decay": 0.01}

SWITCHES: dict[str, descent.Switch] = {
    "uniform": {"on": {}, "none": {"retain_weight": 0.0}},
    "blocks": {"2": {"blocks": 2}, "1": {"blocks": 1}, "3": {"blocks": 3}},
    **{name: levels for name, levels in weighted.LONE_SWITCHES.items() if name not in ("embeddings", "mask")},
    "corpus": descent.SWITCHES["corpus"],
    "request": {level: of for level, of in descent.SWITCHES["request"].items() if level != "sust"},
}
SWITCHES_7B = SWITCHES | {"blocks": {"8": {"blocks": 8}, "4": {"blocks": 4}, "16": {"blocks": 16}}}
MEANINGS = {
    "uniform=none": "the assistant learns the forget text, and nothing keeps it from knowing all else",
    "blocks=1": "the assistant has one block, not two",
    "blocks=3": "the assistant has three blocks, not two",
    "blocks=4": "the assistant has four blocks, not eight",
    "blocks=16": "the assistant has sixteen blocks, not eight",
    **{level: words for level, words in descent.MEANINGS.items() if not level.startswith("embeddings")},
}
