"""What a name stands for in a store: a study, or an arena of studies; and the line for a name that is not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lethe.store.about import about
from lethe.store.facts import ARENA
from lethe.store.optuna_tables import study_names
from lethe.store.urls import hide_password

MOST_NAMED = 20  # names of studies that a message lists


def arena_name(said: Any) -> str:
    """The arena's name, of what a study says of its arena; "" where it says none."""
    return str(said.get("name", "")) if isinstance(said, dict) else ""


def studies_of(url: str) -> dict[str, list[str]]:
    """Arena -> its studies, as a store has them; ValueError in one sentence where it cannot be read."""
    found: dict[str, list[str]] = {}
    for study, said in about(url, ARENA).items():
        if name := arena_name(said):
            found.setdefault(name, []).append(study)
    return found


def arenas_of(url: str) -> list[str]:
    """Names of the arenas of a store, newest first; raises as `studies_of`."""
    return list(dict.fromkeys(reversed([arena_name(said) for said in about(url, ARENA).values() if arena_name(said)])))


def with_arenas(url: str, names: Sequence[str]) -> list[str]:
    """Some studies, and all that are of an arena with one of them, which one driver runs; raises as `studies_of`."""
    beside = [study for studies in studies_of(url).values() if {*studies} & {*names} for study in studies]
    return list(dict.fromkeys([*names, *beside]))


@dataclass(frozen=True)
class Named:
    """What a name stands for: the studies of an arena, or one study."""

    name: str
    studies: tuple[str, ...]
    is_arena: bool


def find(url: str, name: str) -> Named:
    """What a name stands for; ValueError in one line where a store has both, or neither: then it names the nearest."""
    names, of_arenas = study_names(url), studies_of(url)
    if name in of_arenas and name in names:
        raise ValueError(f"{name!r} is both a study and an arena: name the arena's studies ({listed(of_arenas[name])})")
    if name in of_arenas:
        return Named(name, tuple(of_arenas[name]), is_arena=True)
    if name in names:
        return Named(name, (name,), is_arena=False)
    entries = [study for studies in of_arenas.values() for study in studies]
    raise unknown(url, name, [*of_arenas, *(study for study in names if study not in entries), *entries])


def find_study(url: str, name: str) -> str:
    """A study's name, if a store has it; ValueError in one line where it has not, or has an arena of this name."""
    if name in study_names(url):
        return name
    found = find(url, name)
    raise ValueError(f"{name!r} is an arena: name one of its studies ({listed(found.studies)})")


def unknown(url: str, name: str, there: Sequence[str]) -> ValueError:
    """The one line for a name that stands for nothing in a store, with the names that there are, the nearest first."""
    near = get_close_matches(name, there, n=1)
    hint = f": the nearest is {near[0]!r}" if near else ""
    return ValueError(f"storage {hide_password(url)!r} has no study {name!r}{hint} (there: {listed(there)})")


def listed(names: Sequence[str]) -> str:
    """Names in one line, the first of them where there are many."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (", ".join(names[:MOST_NAMED]) or "none") + more
