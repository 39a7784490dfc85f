"""What a study says: fronts, decisions, ablations and how sure they are. Pure functions over tables and arrays."""
