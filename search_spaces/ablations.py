"""What an ablation switches, as plain data: the parts of the method, their levels, and designs over them.

The first level of a switch is the baseline's; a level without settings is what the run has anyhow. A design is one
part or several, whose arms are joined. Kinds: "one at a time" changes one switch of the baseline in each arm;
"factorial" crosses all levels; "fractional" is a two-level fraction, whose generators define the later switches by
letters (A is the first switch, B the second, ...), so that its resolution is known. `npo` is on a sequence's mean, as
the mean-teacher paper's, whose public code counts padding in that mean: equal at equal lengths only.
"""

SWITCHES: dict[str, dict[str, dict[str, object]]] = {
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
    "embeddings": {"frozen": {"freeze": True}, "trained": {"freeze": False}},
    "corpus": {"retain": {"regularisation": "retain"}, "unrelated": {"regularisation": "unrelated"}},
    "forget_set": {
        "100%": {"forget_fraction": 1.0},
        "50%": {"forget_fraction": 0.5},
        "25%": {"forget_fraction": 0.25},
        "10%": {"forget_fraction": 0.1},
        "5%": {"forget_fraction": 0.05},
    },
    "sampling": {"1:1": {"sampling": "random"}, "cyclic": {"sampling": "cyclic"}},
    "ema_rate": {"0.2": {"delta": 0.2}, "0.05": {"delta": 0.05}, "0.1": {"delta": 0.1}, "0.5": {"delta": 0.5}},
}

# Each level that is no baseline's, in words that stand behind "the same, but".
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
    "embeddings=trained": "embeddings, head and norms are trained too",
    "corpus=unrelated": "the penalty is taken on general text, not on the retain set",
    "forget_set=50%": "half of the forget set is unlearned, all of it is scored",
    "forget_set=25%": "a quarter of the forget set is unlearned, all of it is scored",
    "forget_set=10%": "a tenth of the forget set is unlearned, all of it is scored",
    "forget_set=5%": "a twentieth of the forget set is unlearned, all of it is scored",
    "sampling=cyclic": "both sets are walked through in turn, not drawn at random",
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

ALL: dict[str, tuple[str, ...]] = {name: tuple(levels) for name, levels in SWITCHES.items() if name != "ema_rate"}

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
                "sampling": ("1:1", "cyclic"),
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
TUNED = ("lr", "alpha", "delta")  # the rates that an arm may search for itself
TUNED_FACTOR = 5.0  # each within this factor of the arm's own value, below and above
DESIGN_SWITCHES = {"mean-teacher": SWITCHES, "mean-teacher-7b": SWITCHES_7B}  # space of a preset -> switches
