"""A clock that stands still until a test sets it."""

from types import SimpleNamespace


class Clock(SimpleNamespace):
    """Stands in for the module `time` in the module that is tested."""

    now = 0.0

    def monotonic(self) -> float:
        """Seconds, as the test says."""
        return self.now
