"""What the methods of a forget term and a retain term share, as plain data: spaces, published values, switches.

AdamW sees nothing of the two weights but their ratio, so one of them is searched, and the other stays 1; and nothing at
all of the weight of a forget term that is alone.
"""

from search_spaces import descent

SPACE = {"lr": ("log_uniform", 1e-4, 1e-2), "forget_weight": ("log_uniform", 0.01, 10.0)}

# Llama-2-7B: around MUSE's AdamW at 1e-5. Ranges are ours.
SPACE_7B = {"lr": ("log_uniform", 1e-6, 1e-4), "forget_weight": ("log_uniform", 0.01, 10.0)}

# Of a forget term alone.
LONE = {"lr": ("log_uniform", 1e-5, 1e-2), "steps": ("integer", 5, 120)}
LONE_7B = {"lr": ("log_uniform", 1e-7, 1e-4), "steps": ("integer", 50, 2000)}

SETTINGS_7B = {"lr": 1e-5, "optimizer": "adamw", "warmup_steps": 0}  # MUSE, arXiv 2407.06460

# Of a method whose retain term is free, and of one that has its own by its name.
RETAIN_TERM: dict[str, descent.Switch] = {
    "retain_term": {"gdr": {"retain_term": "gdr"}, "klr": {"retain_term": "klr"}, "none": {"retain_term": "none"}}
}
RETAIN_TERM_ADDED: dict[str, descent.Switch] = {  # of one that is published without
    "retain_term": {"none": {"retain_term": "none"}, "gdr": {"retain_term": "gdr"}, "klr": {"retain_term": "klr"}}
}
RETAIN_LOSS: dict[str, descent.Switch] = {"retain_loss": {"on": {}, "none": {"retain_weight": 0.0}}}

# Of a method that reads no retain text.
LONE_SWITCHES = {name: levels for name, levels in descent.SWITCHES.items() if name != "corpus"} | {
    "sampling": {level: descent.SWITCHES["sampling"][level] for level in ("random", "cyclic")}
}

MEANINGS = {
    "retain_term=klr": "the divergence from the target holds the model on retain text, not its cross-entropy",
    "retain_term=gdr": "cross-entropy holds the model on retain text",
    "retain_term=none": "nothing holds the model on retain text",
    "retain_loss=none": "nothing holds the model on retain text",
    **descent.MEANINGS,
}
