"""The spaces of KLUE: learning rate, weight of the ascent, and how many neurons move, chosen in what way."""

from search_spaces import descent, weighted

OWN = {"asked": ("choice", ("qa", "pairs")), "klue_lam": ("uniform", 0.0, 2.0)}
SPACE = {**weighted.SPACE, **OWN, "klue_density": ("log_uniform", 0.02, 0.5)}
SPACE_7B = {**weighted.SPACE_7B, **OWN, "klue_density": ("log_uniform", 0.005, 0.3)}
SETTINGS_7B = weighted.SETTINGS_7B

SWITCHES: dict[str, descent.Switch] = {
    "neurons": {"5%": {}, "25%": {"klue_density": 0.25}, "all": {"klue_density": 1.0}},
    "others": {"off": {}, "kept": {"klue_lam": 0.0}},
    "asked": {"qa": {}, "pairs": {"asked": "pairs"}},
    **weighted.RETAIN_LOSS,
    **{name: levels for name, levels in descent.SWITCHES.items() if name not in ("embeddings", "mask", "sampling")},
    "sampling": weighted.LONE_SWITCHES["sampling"],
}
MEANINGS = {
    "neurons=25%": "a quarter of the neurons move, not a twentieth",
    "neurons=all": "all neurons move",
    "others=kept": "what neurons give to an answer behind other questions is not taken off",
    "asked=pairs": "second halves of texts are forgotten behind the first, not answers behind questions",
    **weighted.MEANINGS,
}
