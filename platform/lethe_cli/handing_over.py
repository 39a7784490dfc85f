"""`lethe list`, `front`, `recommend`, `export`, `verify`, `harness`, `delete`: their flags.

What they do is loaded when it is asked for. All but delete work while the study runs, and write nothing to its store.
"""

from typing import Annotated

import typer

from lethe.store.urls import RESULTS, VARIABLE, default_storage

Option, Argument = typer.Option, typer.Argument
Study = Annotated[str, Argument(help="Name of a study; `lethe list` shows all.")]
Storage = Annotated[str | None, Option(envvar=VARIABLE, help="Store: sqlite:///FILE or a PostgreSQL URL.")]
Json = Annotated[bool, Option("--json", help="Print it as JSON.")]
Limits = Annotated[
    list[str] | None,
    Option("--limit", help="What is acceptable, at least, at most or within by the score's goal: verbmem_f:20."),
]
Rule = Annotated[str, Option(help="knee: gives up the least in total; or the objective that is to be best.")]
WHICH = "TRIAL@AXIS/AT/ROLE, as 12@step/40/student; TRIAL: the one that stands for it; or recommended."


def list_studies(storage: Storage = None, as_json: Json = False) -> None:
    """List the studies of a store: method, benchmark, trials, size of the front, and whether somebody runs it."""
    from lethe_cli import studies

    studies.show_all(storage or default_storage(), as_json=as_json)


def front(study: Study, storage: Storage = None, as_json: Json = False) -> None:
    """Show the front of a study, best first, below the target and the retrained model."""
    from lethe_cli import studies

    studies.show_front(study, storage or default_storage(), as_json=as_json)


def recommend(
    study: Study, limit: Limits = None, rule: Rule = "knee", storage: Storage = None, as_json: Json = False
) -> None:
    """Name the candidate that is nearest to what you ask, why, whether it will do, and how sure that is.

    Exit code 1 where no candidate is feasible and within the limits.
    """
    from lethe_cli import recommending

    if not recommending.run(study, storage or default_storage(), limit or (), rule, as_json=as_json):
        raise typer.Exit(1)


def export(
    study: Study,
    candidate: Annotated[str, Argument(help=WHICH)],
    folder: Annotated[str, Argument(help="Folder to write: one that is not there yet, or empty.")],
    limit: Limits = None,
    rule: Rule = "knee",
    storage: Storage = None,
    as_json: Json = False,
) -> None:
    """Write a candidate as a Hugging Face folder, with a card (README.md, lethe.json) and a manifest.json."""
    from lethe_cli import exporting

    exporting.run(study, candidate, folder, storage or default_storage(), limit or (), rule, as_json=as_json)


def verify(
    folder: Annotated[str, Argument(help="A folder that `lethe export` wrote.")],
    benchmark: Annotated[str | None, Option(help="The card's benchmark, where it lies elsewhere here.")] = None,
    tolerance: Annotated[
        float, Option(help="By how much a score may differ, where another machine rounds otherwise.", min=0)
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Check a folder against its manifest, then measure its scores again; exit code 1 where either does not hold."""
    from lethe_cli import verifying

    if not verifying.run(folder, benchmark, tolerance, as_json=as_json):
        raise typer.Exit(1)


def harness(
    model: Annotated[str, Argument(help="A model's folder, as `lethe export` writes it, or a hub id.")],
    tasks: Annotated[str, Option(help="Tasks of lm-evaluation-harness, or lethe_utility: arc_challenge,mmlu.")],
    benchmark: Annotated[str | None, Option(help="Whose general utility the task lethe_utility is.")] = None,
    include: Annotated[str | None, Option(help="Folder of further tasks, a YAML file each.")] = None,
    limit: Annotated[int | None, Option(help="Only the first so many items of each task.", min=1)] = None,
    shots: Annotated[int | None, Option(help="Few-shot examples, where not the task's own number.", min=0)] = None,
    batch_size: Annotated[int, Option(help="Texts scored at once.", min=1)] = 32,
    as_json: Json = False,
) -> None:
    """Measure general utility by tasks of lm-evaluation-harness; needs `pip install 'lethe-tune[harness]'`."""
    from lethe_cli import harnessing

    harnessing.run(model, tasks, benchmark, include, limit, shots, batch_size, as_json=as_json)


def delete(
    study: Annotated[str, Argument(help="Name of a study, or of an arena, whose studies all go.")],
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    storage: Storage = None,
    storage_path: Annotated[str, Option(help="Folder or URL that its weights and outputs are below.")] = RESULTS,
) -> None:
    """Remove a study from its store, and its weights, outputs and states from the disk. It cannot be undone."""
    from lethe_cli import deleting

    deleting.run(study, storage or default_storage(), storage_path, yes=yes)
