"""Fronts as arithmetic: objectives, constraints, and what is not dominated. Pure functions over numbers."""
