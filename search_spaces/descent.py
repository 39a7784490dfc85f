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
    "selection": {
        "random": {"forget_selection": "random"},
        "grand": {"forget_selection": "grand"},
        "moderate": {"forget_selection": "moderate"},
        "min_k": {"forget_selection": "min_k"},
    },
    "request": {name: {"request": name} for name in ("all", "scal_1", "scal_2", "scal_3", "scal_4", "sust")},
    "request_attack": {"none": {}, "benign_words": {"request_attack": "benign_words"}},
    "sampling": {
        "random": {"sampling": "random"},
        "cyclic": {"sampling": "cyclic"},
        "one_to_one": {"sampling": "one_to_one"},
        "modular": {"sampling": "modular"},
    },
    "mask": {
        "none": {"mask": "none"},
        "wagle": {"mask": "wagle"},
        "random": {"mask": "random"},
        "magnitude": {"mask": "magnitude"},
        "forget_gradient": {"mask": "forget_gradient"},
        "mlp": {"mask": "mlp"},
    },
}
READ = ("corpus", "forget_set", "selection", "request", "request_attack")  # what is read, which is no part of a method
ADDED = ("mask",)  # what is put on any method, which is no part of it either

# MUSE's scalability (C5), requests that grow, and its sustainability (C6), requests that follow one another.
REQUESTS_DESIGN = ({"kind": "one at a time", "switches": {"request": ("*",)}},)

# A stealthy attack on the request, arXiv 2506.00359: words that what is kept is full of.
ATTACK_DESIGN = ({"kind": "one at a time", "switches": {"request_attack": ("*",)}},)

# Each level that is no baseline's, in words that stand behind "the same, but".
MEANINGS = {
    "embeddings=trained": "embeddings, head and norms are trained too",
    "corpus=unrelated": "general text is kept in the place of the retain set",
    "forget_set=50%": "half of the forget set is unlearned, all of it is scored",
    "forget_set=25%": "a quarter of the forget set is unlearned, all of it is scored",
    "forget_set=10%": "a tenth of the forget set is unlearned, all of it is scored",
    "forget_set=5%": "a twentieth of the forget set is unlearned, all of it is scored",
    "selection=grand": "of the forget set the share with the largest gradients is unlearned",
    "selection=moderate": "of the forget set the share at a middling distance to its centroid is unlearned",
    "selection=min_k": "of the forget set the share with the lowest Min-K score is unlearned",
    "request=scal_1": "the first of four parts of the forget set is unlearned, all of it is scored",
    "request=scal_2": "the first two of four parts of the forget set are unlearned, all of it is scored",
    "request=scal_3": "the first three of four parts of the forget set are unlearned, all of it is scored",
    "request=scal_4": "all four parts of the forget set are unlearned at once",
    "request=sust": "the four parts of the forget set are unlearned one after the other, each from what the last left",
    "request_attack=benign_words": "harmless words, common in what is to be kept, stand in the texts to be forgotten",
    "mask=wagle": "only weights move that bear on what is to be forgotten and not on what is kept",
    "mask=random": "only weights that are drawn move, as many as WAGLE's",
    "mask=magnitude": "only the largest weights move, as many as WAGLE's",
    "mask=forget_gradient": "only weights of the largest gradient on forget text move, as many as WAGLE's",
    "mask=mlp": "only weights of the MLP move",
    "sampling=cyclic": "both sets are walked through in turn, not drawn at random",
    "sampling=one_to_one": "forget texts come in turn, each always with the same retained text beside it",
    "sampling=modular": "forget texts come entity by entity, with retained texts that are near, alike or drawn for it",
}
