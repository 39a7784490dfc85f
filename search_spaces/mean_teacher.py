"""The mean teacher: spaces of EMA rate, NLUL weight and learning rate, what can be switched of it, and designs.

The ranges include collapse at one end (a fast student whose teacher runs after it) and nothing happening at the other.
"""

from search_spaces import descent

SPACE = {
    "delta": ("log_uniform", 0.01, 0.5),
    "alpha": ("log_uniform", 0.1, 10.0),
    "lr": ("log_uniform", 0.01, 0.5),
}

# Llama-2-7B moves at a hundredth of the small model's rates; around the values of arXiv 2504.13388.
SPACE_7B = {
    "delta": ("log_uniform", 0.0005, 0.05),
    "alpha": ("log_uniform", 0.005, 0.5),
    "lr": ("log_uniform", 5e-5, 5e-3),
}

SWITCHES: dict[str, descent.Switch] = {
    # Whom the penalty and the damping pull to: the average of the student, the target as it was, or nobody.
    "teacher": {"ema": {}, "frozen": {"delta": 0.0}, "none": {"delta": 0.0, "damping": 0.0, "penalty": "none"}},
    "damping": {"on": {}, "off": {"damping": 0.0}},
    "forget_loss": {
        "nlul": {"forget_loss": "nlul"},
        "ll": {"forget_loss": "ll"},
        "npo": {"forget_loss": "npo_sequence_mean"},
        "simnpo": {"forget_loss": "simnpo"},
        "mismatch": {"forget_loss": "mismatch"},
    },
    "penalty": {
        "kl": {"penalty": "kl"},
        "qkl": {"penalty": "qkl"},
        "gdr": {"penalty": "gdr"},
        "none": {"penalty": "none"},
    },
    "optimizer": {"sgd": {"optimizer": "sgd"}, "adamw": {"optimizer": "adamw", "lr": 0.001, "warmup_steps": 10}},
    "start": {"cold": {"warm_start": 0}, "warm": {"warm_start": 10}},
    **descent.SWITCHES,
    "ema_rate": {"0.2": {"delta": 0.2}, "0.05": {"delta": 0.05}, "0.1": {"delta": 0.1}, "0.5": {"delta": 0.5}},
}

MEANINGS = {
    "teacher=frozen": "the teacher stays the target as it was, it does not follow the student",
    "teacher=none": "no teacher at all: neither a penalty against it nor damping towards it",
    "damping=off": "nothing pulls the student's weights to the teacher's",
    "forget_loss=ll": "gradient ascent, which lowers the log-likelihood of the forget text",
    "forget_loss=npo": "negative preference optimisation on the mean of a sequence",
    "forget_loss=simnpo": "negative preference optimisation without a reference model",
    "forget_loss=mismatch": "the model is pulled to the uniform distribution on the forget text",
    "penalty=qkl": "the second-order form of the divergence from the teacher",
    "penalty=gdr": "cross-entropy on the retain text, without a teacher",
    "penalty=none": "no penalty on the retain text",
    "optimizer=adamw": "AdamW in the place of SGD with momentum",
    "start=warm": "ten steps of AdamW before the teacher begins",
    **descent.MEANINGS,
}

# Llama-2-7B: AdamW as in the public code and logs of arXiv 2504.13388 (lr 1e-6; 1e-5 for npo), and EMA rates about its
# 0.005, its other one, 0.0025, among them. The warm start is ours, shorter and at a full rate: the logs' takes 300 to
# 400 steps of that AdamW, its warm-up of 200 among them, with alpha 1.0 and damping 5 to the frozen target.
ADAMW_7B = {"optimizer": "adamw", "lr": 1e-6, "weight_decay": 0.01, "warmup": "held", "warmup_steps": 100}
SWITCHES_7B = SWITCHES | {
    "optimizer": {"sgd": {"optimizer": "sgd"}, "adamw": ADAMW_7B},
    "start": {"cold": {"warm_start": 0}, "warm": {"warm_start": 100, "warm_lr": 1e-6}},
    "ema_rate": {
        "0.005": {"delta": 0.005},
        "0.001": {"delta": 0.001},
        "0.0025": {"delta": 0.0025},
        "0.02": {"delta": 0.02},
    },
}

ALL: dict[str, tuple[str, ...]] = {
    name: tuple(levels)
    for name, levels in SWITCHES.items()
    if name not in ("ema_rate", "selection", "request", "request_attack", "mask")
}

# A design is one part or several, whose arms are joined. Kinds: "one at a time" changes one switch of the baseline in
# each arm; "factorial" crosses all levels; "fractional" is a two-level fraction, whose generators define the later
# switches by letters (A is the first switch, B the second, ...), so that its resolution is known. `npo` is on a
# sequence's mean, as the paper's, whose public code counts padding in that mean: equal at equal lengths only.
DESIGNS = {
    "loco": (
        {
            "kind": "one at a time",
            "switches": {
                "teacher": ("ema", "frozen", "none"),
                "damping": ("on", "off"),
                "forget_loss": ("nlul", "ll"),
                "penalty": ("kl", "none"),
                "optimizer": ("sgd", "adamw"),
                "embeddings": ("frozen", "trained"),
            },
        },
    ),
    "sweep": ({"kind": "one at a time", "switches": ALL},),
    "factorial": (
        {
            "kind": "factorial",
            "switches": {"teacher": ("ema", "frozen"), "damping": ("on", "off"), "forget_loss": ("nlul", "ll")},
        },
    ),
    # Eight switches in 16 arms, resolution IV: main effects are clear of each other and of two-way interactions.
    "fractional": (
        {
            "kind": "fractional",
            "switches": {
                "teacher": ("ema", "frozen"),
                "damping": ("on", "off"),
                "forget_loss": ("nlul", "simnpo"),
                "penalty": ("kl", "qkl"),
                "embeddings": ("frozen", "trained"),
                "corpus": ("retain", "unrelated"),
                "forget_set": ("100%", "50%"),
                "sampling": ("random", "cyclic"),
            },
            "generators": ("E=BCD", "F=ACD", "G=ABC", "H=ABD"),
        },
    ),
    # What arXiv 2504.13388 and its logs ablate, losses with their starts, qkl and EMA rate, and the parts beside them.
    "paper": (
        {"kind": "factorial", "switches": {"forget_loss": ("nlul", "npo", "ll"), "start": ("cold", "warm")}},
        {
            "kind": "one at a time",
            "switches": {
                "teacher": ("ema", "frozen", "none"),
                "damping": ("on", "off"),
                "penalty": ("kl", "qkl"),
                "ema_rate": ("*",),
            },
        },
    ),
}
