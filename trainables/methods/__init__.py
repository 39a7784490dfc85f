"""Methods of unlearning, a file a family."""
