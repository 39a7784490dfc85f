"""The space of an imported study: what its parameters range over, taken from their values. Pure.

Trials that come later must fit to it, for Optuna keeps a parameter's kind and its choices as they were first stored; a
range grows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lethe.search.space import Space
from lethe.store.candidates import BESIDE, COLUMNS
from lethe.store.parameters import METHOD
from lethe.store.trials import REPEAT_SEED, REPEATS

# The columns of the tables that a study is read and shown as, beside its scores.
OF_TRIALS = (
    *("trial_id", "number", "start", "end", "failure", "stopped", "told_from", "values", "first"),
    *(REPEATS, REPEAT_SEED),
)
SHOWN = ("feasible", "front", "key", "group", "mark")
TAKEN = frozenset((*COLUMNS, *BESIDE, *OF_TRIALS, *SHOWN))
Hints = Mapping[str, tuple[Any, ...]]  # name -> ("log_uniform",), ("uniform",), ("integer",) or ("choice", values)
NUMBERS = {"log_uniform": "a number above 0", "uniform": "a number", "integer": "a whole number"}


def named(parameters: Mapping[str, Any], scores: Iterable[str]) -> dict[str, Any]:
    """Parameters by names that a study's tables can have; one that is taken there gets a line behind it.

    Dots become lines, but behind the row's own method: a name with a dot is one of a method's settings, and of no
    trial that has another.
    """
    method, taken = parameters.get(METHOD), {*TAKEN, *scores}
    found = {}
    for name, value in parameters.items():
        whose = f"{method}." if isinstance(method, str) and name.startswith(f"{method}.") else ""
        free = whose + name.removeprefix(whose).replace(".", "_")
        while free in taken:
            free += "_"
        taken.add(free)
        found[free] = value
    return found


def space_of(many: Sequence[Mapping[str, Any]], hints: Hints) -> Space:
    """The space that holds all of some parameters; of a name without a hint their values say what it is."""
    names = dict.fromkeys(name for parameters in many for name in parameters)
    columns = {name: [p[name] for p in many if name in p] for name in names}
    return {name: _entry(values, hints.get(name) or _guess(values)) for name, values in columns.items()}


def widened(space: Space, many: Sequence[Mapping[str, Any]]) -> Space:
    """A space that holds further parameters too, all of which fit to it."""
    ends = [{n: e[i] for n, e in space.items() if e[0] != "choice"} for i in (1, 2)]
    return {**space, **space_of([*ends, *many], {name: _hint(entry) for name, entry in space.items()})}


def _hint(entry: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(entry) if entry[0] == "choice" else (entry[0],)


def misfit(parameters: Mapping[str, Any], hints: Hints, *, grows: bool = False) -> str:
    """Why parameters do not fit to a space, or to hints of one; "" where they do. Choices may be new if they `grow`."""
    for name, value in parameters.items():
        kind, *values = hints.get(name) or (None,)
        if kind == "choice" and not grows and value not in values[0]:
            words = ", ".join(map(str, values[0]))
            return f"its {name} is {value!r}, and the study has {words}: import all of it at once, under a new --name"
        if kind in NUMBERS and not _is(kind, value):
            return f"its {name} is {value!r}: it must be {NUMBERS[kind]}"
    return ""


def shaped(parameters: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Parameters with whole numbers as such, and all others as floats."""
    kinds = {"integer": int, "uniform": float, "log_uniform": float}
    return {name: kinds.get(space[name][0], lambda v: v)(value) for name, value in parameters.items()}


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (kind != "integer" or value == int(value)) and (kind != "log_uniform" or value > 0)


def _guess(values: Iterable[Any]) -> tuple[Any, ...]:
    values = list(values)
    if not all(_is("uniform", value) for value in values):
        return ("choice", ())
    if all(isinstance(value, int) for value in values):
        return ("integer",)
    return ("log_uniform",) if min(values) > 0 else ("uniform",)


def _entry(values: Sequence[Any], hint: tuple[Any, ...]) -> tuple[Any, ...]:
    if hint[0] == "choice":
        return ("choice", tuple(dict.fromkeys([*hint[1], *values])))
    return (hint[0], min(values), max(values))
