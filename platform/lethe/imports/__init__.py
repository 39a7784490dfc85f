"""Results that others wrote: a reader for each format, and the study that becomes of what it reads."""
