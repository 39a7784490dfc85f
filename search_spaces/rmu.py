"""The spaces of RMU, and what adaptive RMU shares with it: learning rate, layer, weight of keeping retain text."""

from search_spaces import descent

SHARED = {
    "lr": ("log_uniform", 1e-3, 3e-2),
    "layer": ("integer", 1, 3),
    "alpha": ("log_uniform", 0.1, 1000.0),
}
# The target's hidden states are 58 to 88 long behind these blocks: half to twenty times that, as of adaptive RMU.
SPACE = SHARED | {"rmu_c": ("log_uniform", 40.0, 1600.0)}

# Llama-2-7B: around the public code's layer 7 of 32, alpha 1200 and AdamW at 5e-5. Ranges are ours.
SHARED_7B = {
    "lr": ("log_uniform", 1e-5, 1e-3),
    "layer": ("integer", 3, 20),
    "alpha": ("log_uniform", 1.0, 10_000.0),
}
SPACE_7B = SHARED_7B | {"rmu_c": ("log_uniform", 1.0, 100.0)}

# arXiv 2403.03218
OWN_7B = {"lr": 5e-5, "optimizer": "adamw", "layer": 7, "alpha": 1200.0, "parallel": "ddp"}
SETTINGS_7B = OWN_7B | {"rmu_c": 6.5}

SWITCHES: dict[str, descent.Switch] = {
    "retain_loss": {"hidden": {}, "none": {"alpha": 0.0}},
    **{name: levels for name, levels in descent.SWITCHES.items() if name != "embeddings"},
}
MEANINGS = {
    "retain_loss=none": "nothing holds the model on retain text",
    **{level: words for level, words in descent.MEANINGS.items() if level != "embeddings=trained"},
}
