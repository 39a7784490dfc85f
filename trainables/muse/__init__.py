"""The MUSE scores: generate, log-probs, VerbMem, KnowMem, PrivLeak, utility. The module `evaluate` has all."""
