"""The Ray adapters: warm groups of workers, and what they run."""
