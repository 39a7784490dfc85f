"""`lethe import`: results that others wrote become a study, to look at, to compare and to start a search from."""

from typing import Annotated

import typer

from lethe.display.console import open_console
from lethe.store.urls import VARIABLE, default_storage
from trainables.methods import find_method

Option, Argument = typer.Option, typer.Argument


def import_results(
    sources: Annotated[
        list[str], Argument(metavar="FILE...", help="Files, folders, or STORAGE_URL#STUDY of Optuna's.")
    ],
    name: Annotated[str, Option(help="The study's name: a new one, or an imported one that more is added to.")],
    kind: Annotated[
        str | None,
        Option("--as", help="mean-teacher, open-unlearning, muse, optuna or csv; default: what it looks like."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        Option(
            "--map", help="Of a csv or optuna: score:knowmem_f=COLUMN*100, lr=COLUMN, at:epoch=COLUMN, run=, role=."
        ),
    ] = None,
    objectives: Annotated[
        str | None, Option(help="Scores, optionally with a goal; default: the usual ones that most rows have.")
    ] = None,
    method: Annotated[str | None, Option(help="The method of all runs, where the files do not say it.")] = None,
    benchmark: Annotated[str | None, Option(help="What they were made on, where the files do not say it.")] = None,
    model: Annotated[str | None, Option(help="The target model, the same.")] = None,
    protocol: Annotated[str | None, Option(help="By which protocol they were scored, the same.")] = None,
    storage: Annotated[
        str | None, Option(envvar=VARIABLE, help="Store of the study: sqlite:///FILE or a PostgreSQL URL.")
    ] = None,
) -> None:
    """Import logs, evaluations, tables or a study of Optuna's into a study; what it has already is not added again."""
    # optuna and pandas take a second to load, which a help text does without
    from lethe.imports.mapping import columns_of
    from lethe_cli.checks import check_name
    from lethe_cli.importing import Import, run_import

    said = {"method": method and find_method(method).name, "benchmark": benchmark, "model": model, "protocol": protocol}
    asked = Import(
        sources=sources,
        name=check_name(name, ""),
        storage=storage or default_storage(),
        kind=kind,
        columns=columns_of(columns or ()),
        objectives=objectives,
        said={what: value for what, value in said.items() if value},
    )
    run_import(asked, open_console())
