"""The MUSE scores: generate, log-probs, VerbMem, KnowMem, PrivLeak, utility; evaluate.py has all."""
