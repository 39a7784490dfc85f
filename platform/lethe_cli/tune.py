"""`lethe tune`, and `python platform/tune_mt.py`: search a method of unlearning or several, and show the front."""

from lethe.display.console import open_console
from lethe_cli.audit import MOST
from lethe_cli.command import command, end
from lethe_cli.flags import TuneFlags


@command
def tune(flags: TuneFlags) -> None:
    """Search a method's settings against the MUSE scores, and print the Pareto front; --method a,b searches both."""
    # optuna takes half a second to load, which a help text does without; Ray and torch take several: not before the
    # input is known to be good.
    from lethe_cli.request import make_request

    request = make_request(flags)
    from lethe_cli.starting import check_start

    check_start(request)
    from lethe_cli.auditing import audit_front, check_probes
    from lethe_cli.search import run_search

    check_probes(flags.audit)
    console = open_console(stderr=flags.as_json)
    outcome = run_search(request, console)
    if flags.audit and outcome["front"] and not outcome["interrupted"]:
        outcome |= audit_front(request, flags.audit, MOST, console)
    end(outcome, as_json=flags.as_json)
