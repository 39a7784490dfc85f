"""What an ablation can switch of every method of gradient descent, as plain data: what is read, what moves."""

Switch = dict[str, dict[str, object]]  # level -> the settings that it changes; the first level is the baseline's

SWITCHES: dict[str, Switch] = {
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
}

# Each level that is no baseline's, in words that stand behind "the same, but".
MEANINGS = {
    "embeddings=trained": "embeddings, head and norms are trained too",
    "corpus=unrelated": "general text is kept in the place of the retain set",
    "forget_set=50%": "half of the forget set is unlearned, all of it is scored",
    "forget_set=25%": "a quarter of the forget set is unlearned, all of it is scored",
    "forget_set=10%": "a tenth of the forget set is unlearned, all of it is scored",
    "forget_set=5%": "a twentieth of the forget set is unlearned, all of it is scored",
    "sampling=cyclic": "both sets are walked through in turn, not drawn at random",
}
