"""The console that everything is printed to."""

from rich.console import Console

WIDTH = 100


def open_console(*, stderr: bool = False) -> Console:
    """Open the console that everything is printed to, wide enough for a front; brackets in what it prints are text."""
    console = Console(stderr=stderr, markup=False)
    console.width = max(console.width, WIDTH)
    return console
