"""What is searched and what for, as plain data: spaces, objectives, constraints, baselines."""
