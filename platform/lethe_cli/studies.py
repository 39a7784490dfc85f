"""What studies a store has, and the front of one, as they are now."""

from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lethe.analysis import recipes
from lethe.analysis.outcome import outcome
from lethe.display import front_table
from lethe.display.console import open_console
from lethe.handover.listing import Listed, list_studies
from lethe.store.urls import hide_password
from lethe_cli.stored import print_json, read_study, say


def show_all(url: str, *, as_json: bool) -> None:
    """Print the studies of a store, newest first."""
    found = list_studies(url)
    if as_json:
        print_json({"storage": hide_password(url), "studies": [asdict(study) for study in found]})
        return
    open_console().print(draw(found) if found else f"storage {hide_password(url)!r} has no study yet")
    for study in found:
        if study.note:
            say(f"note: {study.note}")


def draw(studies: list[Listed]) -> Table:
    """A row a study; the arena's column only where there is one."""
    columns: dict[str, Any] = {
        "study": lambda study: study.study,
        "arena": lambda study: study.arena,
        "method": lambda study: study.method,
        "benchmark": lambda study: study.benchmark,
        "trials": trials,
        "front": lambda study: str(study.front),
        "state": lambda study: study.state,
    }
    if not any(study.arena for study in studies):
        del columns["arena"]
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in ("trials", "front") else "left", overflow="fold")
    for study in studies:
        table.add_row(*(cell(study) for cell in columns.values()))
    return table


def trials(study: Listed) -> str:
    """How many trials have ended, of how many, and how many of them failed."""
    of = f"/{study.planned}" if study.planned is not None else ""
    failed = f" ({study.failed} failed)" if study.failed else ""
    return f"{study.complete + study.failed}{of}{failed}"


def show_front(name: str, url: str, *, as_json: bool) -> None:
    """Print the front of a study, and what came of its search in words."""
    study = read_study(name, url)
    candidates, facts = study.candidates, study.facts
    volume = front_table.volume(candidates, facts)
    points = recipes.repeated(study)
    rows = front_table.plain_front(candidates, facts, study.parameters, points)
    if as_json:
        print_json({"study": study.name, "hypervolume": volume, "references": facts.references, "front": rows})
        return
    open_console().print(front_table.draw_front(candidates, facts, study.parameters, points=points))
    say(f"{front_table.size_in_words(candidates, facts)}; hypervolume {volume:.3f}")
    held = front_table.also_held(facts) if rows else []
    for line in (*held, *recipes.in_words(points), *outcome(candidates, facts)):
        say(f"  {line}")
