"""The space of IdkDPO: learning rate, weight of the preference, inverse temperature, and behind what refusals stand."""

from search_spaces import descent, weighted

OWN = {"asked": ("choice", ("qa", "pairs"))}
SPACE = {**weighted.SPACE, **OWN, "dpo_beta": ("log_uniform", 0.05, 2.0)}
SPACE_7B = {**weighted.SPACE_7B, **OWN, "dpo_beta": ("log_uniform", 0.01, 1.0)}
SETTINGS_7B = {**weighted.SETTINGS_7B, "dpo_beta": 0.1}  # TOFU's and MUSE's rates are the same

SWITCHES = {**weighted.RETAIN_TERM, "asked": {"qa": {}, "pairs": {"asked": "pairs"}}, **descent.SWITCHES}
MEANINGS = {
    "asked=pairs": "a refusal is preferred behind the first halves of texts, not behind questions",
    **weighted.MEANINGS,
}
