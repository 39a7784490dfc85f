"""Scores of a model, a file each, with their protocol, intervals and reference values."""
