"""The memory that a run needs, and whether it fits."""
