"""`lethe report`: an ablation, an arena or an audit as one page that needs no network, or as Markdown."""

import importlib.util
from typing import Annotated, Any

import typer

from lethe.store.urls import VARIABLE, default_storage
from trainables.folders import expanded

Option, Argument = typer.Option, typer.Argument


def report(
    study: Annotated[str, Argument(help="Name of an ablation, of an arena, or of a study that was audited.")],
    out: Annotated[str, Argument(help="File to write: OUT.html or OUT.md.")],
    role: Annotated[
        str, Option(help="Whose scores represent a run: student, teacher, ...; if none is named, the first by name.")
    ] = "",
    storage: Annotated[
        str | None, Option(envvar=VARIABLE, help="Store of the study: sqlite:///FILE or a PostgreSQL URL.")
    ] = None,
) -> None:
    """Write what an ablation, an arena or an audit found: the answer in words, tables, figures, configuration."""
    file = expanded(out)
    if file.suffix not in (".html", ".md"):
        raise ValueError(f"{out!r} ends in neither .html nor .md")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"{out!r} cannot be written: there is no folder {str(file.absolute().parent)!r}")
    # Its statistics and tables take a second to load, and every `lethe` command loads this file.
    from lethe.analysis.ablation import read_ablation
    from lethe.analysis.arena import read_arena
    from lethe.store.names import find

    url = storage or default_storage()
    is_arena = find(url, study).is_arena
    audited = None if is_arena else audited_study(url, study)
    if (is_arena or audited) and role:
        where = "arena" if is_arena else "audit"
        raise ValueError(f"role {role!r} represents the runs of an ablation; in an {where} all roles count")
    found: Any = audited or (read_arena(url, study) if is_arena else read_ablation(url, study, role=role))
    if importlib.util.find_spec("plotly") is None:
        raise ValueError("a report needs plotly: pip install 'lethe-tune[dashboard]'")
    # The figures are the dashboard's; it is no part of what a cluster's workers are sent.
    from dashboard.reports import ablations, arenas, audit

    kind: Any = audit if audited else arenas if is_arena else ablations
    file.write_text(kind.as_html(found) if file.suffix == ".html" else kind.as_markdown(found), "utf-8")
    print(f"wrote {out}")


def audited_study(url: str, name: str) -> Any:
    """A search of which candidates were audited; None for an ablation, and for one without an audit."""
    from lethe.analysis.ablation import DESIGN
    from lethe.store.snapshot import Reader

    study = Reader(url, name).read()
    return study if study.audits and DESIGN not in study.facts.about else None
