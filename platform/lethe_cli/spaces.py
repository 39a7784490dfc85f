"""What is searched and what is set of one method or of several: --method, --range, --choose and --set, checked.

`NAME=...` is for every method that has such a setting, `METHOD.NAME=...` for this one alone, whatever else is said.
Every function raises ValueError with one line: what was wrong, which value, what is allowed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lethe.search.space import Space, distributions
from lethe.store.parameters import owner
from lethe_cli.checks import check_settings
from lethe_cli.presets import Preset
from search_spaces.methods import spaces_of
from trainables.methods import METHODS, find_method
from trainables.settings import KINDS, Settings


def check_methods(text: str) -> list[str]:
    """The methods of a list `a,b`, each once and in the order of METHODS: the same ones are the same search."""
    names = [find_method(name.strip()).name for name in text.split(",")]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"method {name!r} is given twice: name each method once")
    return [name for name in METHODS if name in names]


def addressed(texts: Sequence[str], methods: Sequence[str]) -> dict[str, list[str]]:
    """Texts `NAME=...` by the method they are for, under the method's own names; what names its method comes last."""
    found: dict[str, list[str]] = {method: [] for method in methods}
    for text in sorted(texts, key=lambda text: bool(owner(_name(text)))):
        for method in _meant(_name(text), methods):
            found[method].append(text.removeprefix(f"{method}."))
    return found


def lacking(texts: Sequence[str], methods: Sequence[str]) -> list[str]:
    """A note for each text `NAME=...` that some methods have no use for."""
    meant = {_name(text): _meant(_name(text), methods) for text in texts if not owner(_name(text))}
    without = {name: [method for method in methods if method not in having] for name, having in meant.items()}
    return [f"{name} is no setting of {', '.join(these)}" for name, these in without.items() if these]


def _name(text: str) -> str:
    return text.partition("=")[0]


def _meant(name: str, methods: Sequence[str]) -> Sequence[str]:
    """The methods that a setting is meant of; one alone says itself what it does not have."""
    named = owner(name)
    if named and named not in methods:
        raise ValueError(f"{name!r} is a setting of {named!r}, which is not among the methods {', '.join(methods)}")
    if named or len(methods) == 1:
        return [named or methods[0]]
    having = [method for method in methods if name in find_method(method).settings.types()]
    if not having:
        raise ValueError(f"{name!r} is no setting of {', '.join(methods)}: `lethe methods NAME` shows what each has")
    return having


def check_spaces(
    methods: Sequence[str], size: str, ranges: Sequence[str] = (), choices: Sequence[str] = ()
) -> dict[str, Space]:
    """The space of each method for models of a size, with ranges and choices put in the place of its own."""
    low_high, values = addressed(ranges, methods), addressed(choices, methods)
    return {method: check_space(method, size, low_high[method], values[method]) for method in methods}


def check_space(method: str, size: str, ranges: Sequence[str] = (), choices: Sequence[str] = ()) -> Space:
    """A method's space for models of a size, with `NAME=LOW:HIGH` and `NAME=A,B` put in the place of its own."""
    spaces = spaces_of(find_method(method).name)
    if size not in spaces:
        raise ValueError(f"space {size!r} is unknown: choose {', '.join(spaces)}")
    return with_own(spaces[size], method, ranges, choices)


def with_own(space: Space, method: str, ranges: Sequence[str] = (), choices: Sequence[str] = ()) -> Space:
    """A space of a method with `NAME=LOW:HIGH` and `NAME=A,B` put in the place of what it has."""
    settings = find_method(method).settings
    given = dict(_range(text, settings) for text in ranges)
    listed = dict(_choice(text, settings) for text in choices)
    for name in given.keys() & listed.keys():
        raise ValueError(f"setting {name!r} has a --range and a --choose: give one of them")
    return check_bounds(dict(space) | given | listed, method)


def check_bounds(space: Space, method: str) -> Space:
    """A space whose distributions can be, and whose ends a method takes."""
    distributions(space)
    settings = find_method(method).settings
    for parameter, (_, *bounds) in space.items():
        for value in bounds[0] if isinstance(bounds[0], tuple) else bounds:
            settings.parse({parameter: str(value)})
    return space


def _range(text: str, settings: type[Settings]) -> tuple[str, tuple[Any, ...]]:
    """A range by the name of what it is of: whole numbers where these are its values, else log-uniform."""
    name, equals, bounds = text.partition("=")
    low, colon, high = bounds.partition(":")
    kind = settings.types().get(name, float)
    if kind in (bool, str):
        raise ValueError(f"{name} is {KINDS[kind]}, of which there is no range: give its values, --choose {name}=A,B")
    try:
        ends = kind(low), kind(high)
    except ValueError:
        ends = (math.nan, math.nan)
    if not equals or not colon or any(math.isnan(end) for end in ends):
        words, example = ("two whole numbers", f"{name}=1:3") if kind is int else ("two numbers", "lr=0.01:0.5")
        raise ValueError(f"range {text!r} is not NAME=LOW:HIGH with {words}, for example {example}")
    return name, ("integer" if kind is int else "log_uniform", *ends)


def _choice(text: str, settings: type[Settings]) -> tuple[str, tuple[Any, ...]]:
    """A choice by the name of what it is of: two or more values, of the type that the setting has."""
    name, _, listed = text.partition("=")
    words = [word.strip() for word in listed.split(",")]
    if len(words) < 2 or not all(words):
        raise ValueError(f"choice {text!r} is not NAME=A,B with two values or more, for example optimizer=sgd,adamw")
    values = tuple(getattr(settings.parse({name: word}), name) for word in words)
    if settings.types()[name] is str and not settings.allowed()[name].choices:
        raise ValueError(f"{name} may be any text, which is not searched: give it with --set {name}=...")
    if len(set(values)) < len(values):
        raise ValueError(f"choice {text!r} has a value twice")
    return name, ("choice", values)


@contextmanager
def naming(whose: str) -> Iterator[None]:
    """Say of whom it is what a ValueError of the block says; nothing where there is only one."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{whose}: {error}" if whose else str(error)) from None


def check_bases(
    texts: Sequence[str], spaces: Mapping[str, Space], presets: Mapping[str, Preset]
) -> tuple[tuple[Settings, ...], list[str]]:
    """The settings of each method that are not searched, and notes: of presets, and of what is not set everywhere."""
    methods = list(spaces)
    given = addressed(texts, methods)
    kept = {method: _kept(texts, given[method], method, spaces) for method in methods}
    bases = []
    for method, space in spaces.items():
        with naming(method if len(methods) > 1 else ""):
            bases.append(check_settings(kept[method], searched=space, preset=presets[method].settings, method=method))
    notes = [
        f"{method}: {line}" if len(methods) > 1 else line
        for method, space in spaces.items()
        for line in presets[method].notes(kept[method], space)
    ]
    still = [
        f"{method} searches {_name(text)}, which {text} leaves alone"
        for method in methods
        for text in given[method]
        if text not in kept[method]
    ]
    return tuple(bases), [*notes, *lacking(texts, methods), *still]


def _kept(texts: Sequence[str], own: Sequence[str], method: str, spaces: Mapping[str, Space]) -> list[str]:
    """What is set of a method, without what was said to all, and this one searches while others take it."""

    def taken_by_others(name: str) -> bool:
        return any(name not in spaces[other] for other in _meant(name, list(spaces)))

    return [t for t in own if t not in texts or _name(t) not in spaces[method] or not taken_by_others(_name(t))]


def ends_of(space: Space) -> dict[str, Sequence[Any]]:
    """The ends of what is searched, or its choices, by name."""
    return {name: bounds[0] if kind == "choice" else bounds for name, (kind, *bounds) in space.items()}


def corners(base: Settings, space: Space) -> list[Settings]:
    """Configurations in which every searched setting has each of its ends, or choices; `base` has the others."""
    ends = ends_of(space)
    count = max(len(values) for values in ends.values())
    return [replace(base, **{name: values[i % len(values)] for name, values in ends.items()}) for i in range(count)]
