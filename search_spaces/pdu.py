"""The spaces of PDU: learning rate, level of the retain loss, where its weight lambda starts and how fast it moves.

AdamW sees nothing of two weights but their ratio: lambda is searched, and the weight of the forget loss stays 1.
"""

from search_spaces import descent, weighted

# At the start the forget loss is 420 on muse-mini and the retain loss 0.6: below 1 lambda holds nothing.
SPACE = {
    "lr": weighted.SPACE["lr"],
    "slack": ("log_uniform", 0.05, 2.0),
    "lam0": ("log_uniform", 1.0, 1000.0),
    "eta": ("log_uniform", 0.1, 10.0),
    "lam_warmup": ("integer", 0, 20),
}

# Llama-2-7B: lambda waits for up to five epochs of MUSE-News, 102 steps each.
SPACE_7B = {
    "lr": weighted.SPACE_7B["lr"],
    "slack": ("log_uniform", 0.05, 1.0),
    "lam0": ("log_uniform", 1.0, 200.0),
    "eta": ("log_uniform", 0.1, 10.0),
    "lam_warmup": ("integer", 0, 510),
}

# arXiv 2506.05314 on MUSE, where lambda waits for three epochs. It gives the level in nats; the slack is ours.
SETTINGS_7B = {**weighted.SETTINGS_7B, "lam0": 50.0, "eta": 1.0, "lam_warmup": 306, "slack": 0.25}

SWITCHES: dict[str, descent.Switch] = {
    "retain_loss": {"held": {}, "weighed": {"eta": 0.0}, "none": {"lam0": 0.0, "eta": 0.0}},
    **descent.SWITCHES,
}
MEANINGS = {
    "retain_loss=weighed": "the loss on retain text has one weight throughout, whatever it is",
    "retain_loss=none": "nothing holds the model on retain text",
    **descent.MEANINGS,
}
