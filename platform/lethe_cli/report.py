"""`lethe report`: an ablation as one page that needs no network, or as Markdown."""

import importlib.util
from typing import Annotated

import typer

from lethe.store.urls import VARIABLE, default_storage, hide_password
from trainables.folders import expanded

Option, Argument = typer.Option, typer.Argument


def report(
    study: Annotated[str, Argument(help="Name of an ablation.")],
    out: Annotated[str, Argument(help="File to write: OUT.html or OUT.md.")],
    role: Annotated[
        str, Option(help="Whose scores represent a run: student, teacher, ...; if none is named, the first by name.")
    ] = "",
    storage: Annotated[
        str | None, Option(envvar=VARIABLE, help="Store of the study: sqlite:///FILE or a PostgreSQL URL.")
    ] = None,
) -> None:
    """Write what an ablation found: effects in words and numbers, forest plots, fronts, hypervolumes, configuration."""
    file = expanded(out)
    if file.suffix not in (".html", ".md"):
        raise ValueError(f"{out!r} ends in neither .html nor .md")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"{out!r} cannot be written: there is no folder {str(file.absolute().parent)!r}")
    # Its statistics and tables take a second to load, and every `lethe` command loads this file.
    from lethe.analysis.ablation import read_ablation
    from lethe.store.optuna_tables import study_names

    url = storage or default_storage()
    names = study_names(url)
    if study not in names:
        raise ValueError(f"storage {hide_password(url)!r} has no study {study!r} (there: {', '.join(names) or 'none'})")
    found = read_ablation(url, study, role=role)
    if importlib.util.find_spec("plotly") is None:
        raise ValueError("a report needs plotly: pip install 'lethe-tune[dashboard]'")
    # The figures are the dashboard's; it is no part of what a cluster's workers are sent.
    from dashboard.reports.ablations import as_html, as_markdown

    file.write_text(as_html(found) if file.suffix == ".html" else as_markdown(found), "utf-8")
    print(f"wrote {out}")
