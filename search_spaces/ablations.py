"""Designs of ablations over the switches of the mean teacher, as plain data; of another method all its switches.

The first level of a switch is the baseline's; a level without settings is what the run has anyhow. A design is one
part or several, whose arms are joined. Kinds: "one at a time" changes one switch of the baseline in each arm;
"factorial" crosses all levels; "fractional" is a two-level fraction, whose generators define the later switches by
letters (A is the first switch, B the second, ...), so that its resolution is known. `npo` is on a sequence's mean, as
the mean-teacher paper's, whose public code counts padding in that mean: equal at equal lengths only.
"""

from search_spaces import mean_teacher, npo_gdr, rmu_adaptive
from search_spaces.descent import Switch
from search_spaces.spaces import LARGE, SMALL

SWITCHES: dict[str, dict[str, dict[str, Switch]]] = {  # by method, and by the size of the models
    "mean_teacher": {SMALL: mean_teacher.SWITCHES, LARGE: mean_teacher.SWITCHES_7B},
    "npo_gdr": {SMALL: npo_gdr.SWITCHES, LARGE: npo_gdr.SWITCHES},
    "rmu_adaptive": {SMALL: rmu_adaptive.SWITCHES, LARGE: rmu_adaptive.SWITCHES},
}
MEANINGS = mean_teacher.MEANINGS | npo_gdr.MEANINGS | rmu_adaptive.MEANINGS

ALL: dict[str, tuple[str, ...]] = {
    name: tuple(levels) for name, levels in mean_teacher.SWITCHES.items() if name != "ema_rate"
}

MEAN_TEACHER_DESIGNS = {
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
DESIGNS = {"mean_teacher": MEAN_TEACHER_DESIGNS} | {
    method: {"loco": ({"kind": "one at a time", "switches": {n: tuple(levels) for n, levels in own[SMALL].items()}},)}
    for method, own in SWITCHES.items()
    if method != "mean_teacher"
}
TUNED_FACTOR = 5.0  # each within this factor of the arm's own value, below and above
