"""What a search asks for: scores and where each should go, and the guard on general utility and on language."""

OBJECTIVES = {
    "verbmem_f": "minimize",
    "knowmem_f": "minimize",
    "privleak": "zero",
    "knowmem_r": "maximize",
}

# Without these a search looks for something else: they are left out only where that is asked for.
INSISTED = ("privleak",)

# What takes the place of KnowMem_r where a benchmark has no questions: nothing else would speak against collapse.
FALLBACKS = {"knowmem_r": {"utility": "maximize"}}

# A candidate is feasible while it keeps this share of the target's score.
UTILITY_GUARD = {"utility": 0.8}

# And while it repeats itself, and writes words that are none, at most so many points more than the target or the
# retrained model, whichever does more.
LANGUAGE_GUARD = {"repetition_f": 10.0, "nonwords_f": 10.0}

# No guard without a retrained model: the target recites, which does not tell how many words of one who writes freely
# stand in no text.
BESIDE_RETRAINED = ("nonwords_f",)
