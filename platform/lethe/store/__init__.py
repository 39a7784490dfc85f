"""The study store: Optuna's storage, what Lethe writes into it, and how it is read back. Imports no ray."""
