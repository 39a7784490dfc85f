"""Lethe's engine: multi-objective studies on Ray Tune and Optuna. Knows no unlearning method by name."""
