"""The dashboard: where people look at the fronts of a study, and decide."""
