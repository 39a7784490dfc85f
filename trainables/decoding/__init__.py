"""How a model is run: greedy decoding, log-probs, and the fastest ways that are right for it."""
