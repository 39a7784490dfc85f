"""The space of IdkNLL with answer preservation: learning rate, weight of the refusals, inverse temperature, prompts."""

from search_spaces import weighted

OWN = {"asked": ("choice", ("qa", "pairs"))}
SPACE = {**weighted.SPACE, **OWN, "ap_beta": ("log_uniform", 0.01, 2.0)}
SPACE_7B = {**weighted.SPACE_7B, **OWN, "ap_beta": ("log_uniform", 0.01, 1.0)}
SETTINGS_7B = {**weighted.SETTINGS_7B, "ap_beta": 0.1}  # arXiv 2410.08109

SWITCHES = {**weighted.RETAIN_LOSS, "asked": {"qa": {}, "pairs": {"asked": "pairs"}}, **weighted.LONE_SWITCHES}
MEANINGS = {
    **weighted.MEANINGS,
    "asked=pairs": "it refuses and answers behind the first halves of texts, not behind questions",
    "retain_loss=none": "nothing holds the answers to retain questions",
}
