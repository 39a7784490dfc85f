"""What an error says, in one line. Imports nothing."""


def first_line(error: object) -> str:
    """The first line of what an error says that has something on it, or else its kind."""
    return _lines(error)[0]


def last_line(error: object) -> str:
    """The last one, which is the error where the traceback of another process stands above it."""
    return _lines(error)[-1]


def _lines(error: object) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
