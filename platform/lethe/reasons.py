"""What an error says, in one line. Imports nothing."""


def first_line(error: object) -> str:
    """The first line of what an error says that has something on it, or else its kind."""
    return _lines(error)[0]


def in_a_line(error: BaseException) -> str:
    """An error's kind, and the first line of what it says."""
    said = first_line(error)
    return said if said == type(error).__name__ else f"{type(error).__name__}: {said}"


def last_line(error: object) -> str:
    """The last one, which is the error where the traceback of another process stands above it."""
    return _lines(error)[-1]


def _lines(error: object) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
