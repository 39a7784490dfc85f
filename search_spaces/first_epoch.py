"""The spaces of first-epoch ascent: how far the embeddings go, how often, and how like other text is that goes too."""

from search_spaces import descent

OWN = {"steps": ("integer", 1, 10), "fuzzy": ("choice", (0.0, 0.8, 0.9))}
SPACE = {"lr": ("log_uniform", 1e-3, 1.0), **OWN}
SPACE_7B = {"lr": ("log_uniform", 1e-4, 0.1), **OWN}

SWITCHES: dict[str, descent.Switch] = {
    "fuzzy": {"off": {"fuzzy": 0.0}, "0.9": {"fuzzy": 0.9}, "0.8": {"fuzzy": 0.8}},
    **{name: descent.SWITCHES[name] for name in ("forget_set", "selection", "request")},
}
MEANINGS = {
    "fuzzy=0.9": "retained text that is nine tenths the same is unlearned too",
    "fuzzy=0.8": "retained text that is four fifths the same is unlearned too",
    **{level: words for level, words in descent.MEANINGS.items() if level.split("=")[0] in SWITCHES},
}
