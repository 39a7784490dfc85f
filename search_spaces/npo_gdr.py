"""The space of NPO with cross-entropy on retain text: learning rate, weight of the forget loss, inverse temperature."""

from search_spaces import descent

SPACE = {
    "lr": ("log_uniform", 1e-4, 1e-2),
    "forget_weight": ("log_uniform", 0.1, 10.0),
    "npo_beta": ("log_uniform", 0.05, 2.0),
}

# Llama-2-7B: around MUSE's AdamW at 1e-5. Ranges are ours.
SPACE_7B = {
    "lr": ("log_uniform", 1e-6, 1e-4),
    "forget_weight": ("log_uniform", 0.01, 10.0),
    "npo_beta": ("log_uniform", 0.01, 1.0),
}

SETTINGS_7B = {"lr": 1e-5, "optimizer": "adamw", "warmup_steps": 0, "npo_beta": 0.1}  # MUSE, arXiv 2407.06460

SWITCHES: dict[str, descent.Switch] = {
    "retain_loss": {"gdr": {}, "none": {"retain_weight": 0.0}},
    **descent.SWITCHES,
}
MEANINGS = {
    "retain_loss=none": "nothing holds the model on retain text",
    **descent.MEANINGS,
}
