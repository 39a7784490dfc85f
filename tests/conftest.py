"""What holds for every test."""

from hypothesis import settings

settings.register_profile("lethe", deadline=None)  # no test measures time
settings.load_profile("lethe")
