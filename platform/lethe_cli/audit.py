"""`lethe audit`: stresses on a study's candidates, and whether what seemed forgotten comes back."""

from typing import Annotated

import typer

from lethe.display.console import open_console
from lethe.store.urls import default_storage
from lethe_cli.command import end
from lethe_cli.handing_over import Json, Storage, Study
from trainables.probes import PROBES, TIERS

Option, Argument = typer.Option, typer.Argument
DEFAULT = ("quant:nf4", "quant:int4", "relearn_in", "relearn_benign")
MOST = 8  # candidates of a front, where none is named
WHICH = f"TRIAL@AXIS/AT/ROLE, TRIAL, or recommended; default: {MOST} at most that stand for the front."


def audit(
    study: Study,
    candidates: Annotated[list[str] | None, Argument(metavar="CANDIDATE", help=WHICH)] = None,
    probes: Annotated[
        list[str] | None,
        Option(
            help=f"Of {', '.join(PROBES)}, with settings as in relearn_in:k=10, or {' or '.join(TIERS)}; default: "
            f"{','.join(DEFAULT)}."
        ),
    ] = None,
    concurrent: Annotated[int | None, Option(help="Models measured at once; default: as many as fit.")] = None,
    cpus_per_worker: Annotated[float, Option(help="CPUs for each.")] = 1,
    gpus_per_worker: Annotated[float | None, Option(help="GPUs for each; default: the preset's, or 0.")] = None,
    storage: Storage = None,
    as_json: Json = False,
) -> None:
    """Put stresses on candidates, the target and the retrained model alike, and show whether anything comes back.

    What the study has already is not measured again: the same command goes on where it was stopped.
    """
    from lethe_cli.audit_request import make_request

    request = make_request(
        study,
        candidates or (),
        probes or DEFAULT,
        storage or default_storage(),
        most=MOST,
        concurrent=concurrent,
        cpus=cpus_per_worker,
        gpus=gpus_per_worker,
    )
    from lethe_cli.auditing import run_audit

    end(run_audit(request, open_console(stderr=as_json)), as_json=as_json)
