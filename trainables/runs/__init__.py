"""A run: its folder, its key, its state, and what carries it out."""
