"""Settings of no effect: what is set or searched for nothing, beside the values of others, is told before a run.

    notes = check_effects(["tol=0.1"], {"mean_teacher": Tried(base, {"forget_loss": ("ll", "nlul")})})

Which setting hangs on which others says its declaration (`trainables.settings`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lethe.store.parameters import owner
from trainables.settings import Settings, Values

OFF = (0, "", "none")  # values that switch nothing on; false is 0


@dataclass(frozen=True)
class Tried:
    """The settings of a method, and of those that are not the same in all trials the values that they may have."""

    base: Settings
    values: Mapping[str, Collection[Any]] = field(default_factory=dict)

    def of(self, name: str) -> Collection[Any]:
        """The values that a setting may have; of a range these are its ends."""
        return self.values.get(name, (getattr(self.base, name),))

    def why_idle(self, name: str) -> str:
        """Why a setting is of no effect in any trial, in words; "" where it is of some."""
        beside = self.base.beside()[name]
        if beside is None:
            return f"{self.base.method} does not read it"
        why = [self._why_not(values) for values in (beside if isinstance(beside, tuple) else (beside,))]
        return why[0] if all(why) else ""

    def _why_not(self, values: Values) -> str:
        """Which of some settings is nowhere at values of these, in words; "" where each is somewhere."""
        for other, wanted in values.items():
            there = self.of(other)
            if not any(value in wanted if wanted else value not in OFF for value in there):
                needed = f", not {' or '.join(map(str, wanted))}" if wanted else ""
                return f"{other} is {' or '.join(map(str, there))}{needed}"
            if why := self.why_idle(other):
                return why
        return ""


def check_effects(texts: Sequence[str], tried: Mapping[str, Tried]) -> list[str]:
    """Notes of what is of no effect with some; ValueError for a text `NAME=...` that is of none wherever it is for.

    A value that is the default is no complaint. `tried` is of each method, or entrant of an arena, by its name.
    """
    names = dict.fromkeys(text.partition("=")[0] for text in texts)
    idle = {name: {label: why for label, own in tried.items() if (why := _why(name, own))} for name in names}
    for name, found in idle.items():
        if found and len(found) == sum(_is_for(name, own) for own in tried.values()):
            raise ValueError(_said(name, next(iter(found.values()))))
    said = [f"{name} is of no effect with {_listed(found)}" for name, found in idle.items() if found]
    return [*said, *_searched_for_nothing(names, tried)]


def notes_of(texts: Sequence[str], settings: Settings) -> list[str]:
    """Notes of what is set for nothing in one run: no error, since a trial run again has all that was searched."""
    why = {name: _why(name, Tried(settings)) for name in dict.fromkeys(text.partition("=")[0] for text in texts)}
    return [_said(name, own) for name, own in why.items() if own]


def _said(name: str, why: str) -> str:
    return f"{name!r} is of no effect: {why}"


def _searched_for_nothing(given: Collection[str], tried: Mapping[str, Tried]) -> list[str]:
    """A note for each setting that a space has by itself, and that what was set beside it has left without effect."""
    return [
        f"{name} of {label} is searched, and of no effect: {why}"
        for label, own in tried.items()
        for name in own.values
        if name not in given and f"{own.base.method}.{name}" not in given and (why := own.why_idle(name))
    ]


def _why(name: str, own: Tried) -> str:
    """Why what was said of a setting is of no effect with a method; "" where it is of some, or of none of its own."""
    setting = name.rpartition(".")[2]
    if not _is_for(name, own) or (setting not in own.values and own.of(setting) == (own.base.defaults()[setting],)):
        return ""
    return own.why_idle(setting)


def _is_for(name: str, own: Tried) -> bool:
    """Whether a name, with its method's or without, is of a setting of a method."""
    return owner(name) in ("", own.base.method) and name.rpartition(".")[2] in own.base.types()


def _listed(found: Mapping[str, str]) -> str:
    return "; ".join(f"{label} ({why})" for label, why in found.items())
