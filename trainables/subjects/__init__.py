"""Models and tokenizers: found, checked, loaded and saved."""
