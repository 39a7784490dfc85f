"""`lethe arena`, and `python platform/arena.py`: every method with the same budget, and who is better than whom."""

from lethe.display.console import open_console
from lethe_cli.command import command, end
from lethe_cli.flags import ArenaFlags


@command
def arena(flags: ArenaFlags) -> None:
    """Search every method with the same budget and seeds, and say which is better and how sure that is."""
    # optuna takes half a second to load, which a help text does without; Ray and torch take several: not before the
    # input is known to be good.
    from lethe_cli.arena_request import make_arena

    request = make_arena(flags)
    from lethe_cli.arena_run import run_arena

    end(run_arena(request, open_console(stderr=flags.as_json)), as_json=flags.as_json)
