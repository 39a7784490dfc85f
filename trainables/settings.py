"""Settings: frozen dataclasses whose fields say what they mean and what they allow; checked where they are made.

    @dataclass(frozen=True, kw_only=True)
    class NPO(Descent):
        npo_beta: float = setting(0.1, "inverse temperature", above=0)

From a field follow its flag (`--set npo_beta=0.2`), its line of help and its check. No torch: a bad value is told at
once, by its name.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any, ClassVar, Self, get_type_hints

LARGEST = 2**63 - 1  # of a whole number: what a tensor's sizes and torch's seeds can be
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


@dataclass(frozen=True)
class Allowed:
    """What a field takes: one of `choices`, or, for a number, at least 0, above 0 where `positive`, at most `most`."""

    meaning: str
    choices: tuple[str, ...] = ()
    positive: bool = False
    most: float | None = None


def setting(
    default: Any, meaning: str, *, choices: tuple[str, ...] = (), positive: bool = False, most: float | None = None
) -> Any:
    """A field of settings with its meaning, in a reader's words, and what it allows."""
    allowed = Allowed(meaning, choices=choices, positive=positive, most=most)
    return field(default=default, metadata={"allowed": allowed})


def allowed_of(entry: "Field[Any]") -> Allowed:
    """What a field takes."""
    return entry.metadata["allowed"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a method, which `method` names. ValueError names a value that is not allowed."""

    method: ClassVar[str]

    def __post_init__(self) -> None:
        types = self.types()
        for entry in fields(self):
            _check(entry.name, getattr(self, entry.name), types[entry.name], allowed_of(entry))

    @classmethod
    def types(cls) -> dict[str, type]:
        """The type of every setting, by its name, however annotations are spelt."""
        hints = get_type_hints(cls)
        return {entry.name: hints[entry.name] for entry in fields(cls)}

    @classmethod
    def allowed(cls) -> dict[str, Allowed]:
        """What every setting takes, by its name."""
        return {entry.name: allowed_of(entry) for entry in fields(cls)}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The default of every setting, by its name."""
        return {entry.name: entry.default for entry in fields(cls) if entry.default is not MISSING}

    @classmethod
    def parse(cls, texts: Mapping[str, str], **values: Any) -> Self:
        """Make settings from texts (`{"steps": "100"}`), on top of `values`; ValueError names a bad one."""
        types, parsed = cls.types(), {}
        for name, text in texts.items():
            if name not in types:
                raise ValueError(f"{name!r} is no setting of {cls.method}: choose one of {', '.join(types)}")
            parsed[name] = _parse(name, text, types[name])
        return cls(**(values | parsed))

    def chosen(self) -> dict[str, Any]:
        """The settings that differ from their defaults."""
        defaults = self.defaults()
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}


def _check(name: str, value: Any, kind: type, allowed: Allowed) -> None:
    if allowed.choices and value not in allowed.choices:
        raise ValueError(f"{name} {value!r} is unknown: choose one of {', '.join(allowed.choices)}")
    if kind in (int, float):
        _check_number(name, value, kind, allowed)
    elif not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r}: it must be {KINDS[kind]}")


def _check_number(name: str, value: Any, kind: type, allowed: Allowed) -> None:
    wrong_type = isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float))
    if wrong_type or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}: it must be {KINDS[kind]}")
    if kind is int and value > LARGEST:
        raise ValueError(f"{name} is {value!r}: it must be at most {LARGEST}")
    if value < 0 or (value == 0 and allowed.positive):
        least = "greater than 0" if allowed.positive else "at least 0"
        raise ValueError(f"{name} is {value!r}: it must be {least}")
    if allowed.most is not None and value > allowed.most:
        raise ValueError(f"{name} is {value}: it must lie between 0 and {allowed.most:g}")


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}: it must be {KINDS[bool]}")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}: it must be {KINDS[kind]}") from None
