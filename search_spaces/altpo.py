"""The space of AltPO: learning rate, weight of the preference, inverse temperature, and which alternatives."""

from search_spaces import descent, weighted

OWN = {"alternatives": ("integer", 1, 5), "altpo_k": ("choice", ("rows", "mean"))}
SPACE = {**weighted.SPACE, **OWN, "dpo_beta": ("log_uniform", 0.05, 2.0)}
SPACE_7B = {**weighted.SPACE_7B, **OWN, "dpo_beta": ("log_uniform", 0.01, 1.0)}

# arXiv 2409.13474: what the target writes, of which there are four here.
SETTINGS_7B = {**weighted.SETTINGS_7B, "dpo_beta": 0.1, "answers": "own"}

SWITCHES = {
    **weighted.RETAIN_TERM,
    "preference": {"rows": {}, "mean": {"altpo_k": "mean"}},
    "alternatives": {"4": {}, "1": {"alternatives": 1}},
    "answers": {"wrong": {}, "own": {"answers": "own"}},
    **descent.SWITCHES,
}
MEANINGS = {
    "preference=mean": "the mean of a question's alternatives is preferred, not each by itself",
    "alternatives=1": "a single alternative is preferred over each true answer",
    "answers=own": "what the target writes itself is preferred, not wrong objects",
    **weighted.MEANINGS,
}
