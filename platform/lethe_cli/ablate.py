"""`lethe ablate`, and `python platform/ablate_mt.py`: what each part contributes, and how sure that is."""

from lethe.display.console import open_console
from lethe_cli.command import command, end
from lethe_cli.flags import AblateFlags


@command
def ablate(flags: AblateFlags) -> None:
    """Run every arm of a design with the same seeds, and say what each part contributes and how sure that is."""
    # optuna takes half a second to load, which a help text does without; Ray and torch take several: not before the
    # input is known to be good.
    from lethe_cli.ablation_request import make_ablation

    request = make_ablation(flags)
    from lethe_cli.ablating import run_ablation

    end(run_ablation(request, open_console(stderr=flags.as_json)), as_json=flags.as_json)
