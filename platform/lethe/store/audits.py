"""What audits measured of a study's models: an attribute of the study for each model under each stress.

A trial that has ended takes no attributes any more, so they are the study's. `whose` is the name of a candidate as
commands take it (12@step/40/student), or of a reference model; the stress is named as `trainables.probes` names it,
PLAIN for none. A later reading of the same takes the place of an earlier one.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

AUDIT = "audit:"  # begins the key of an attribute: audit:WHOSE:STRESS
PLAIN = ""  # no stress
LONGEST = 512  # characters of a key, as Optuna's tables have it


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What was measured of one model under one stress, or why it could not be."""

    whose: str  # 12@step/40/student, target or retrained
    stress: str  # quant:nf4, or PLAIN; or the trace that was read, cka
    scores: dict[str, list[float]]  # name -> [value, low, high], of all items that count
    items: str  # where the table of its items lies: as a candidate's, and `counts`, whether the item says anything
    code: str  # hash of the code that measured: only readings of one code are compared
    seconds: float  # how long it took
    refused: str = ""  # why it was not measured, in one line; then there are no scores
    tells: dict[str, str] = field(
        default_factory=dict
    )  # of a trace's scores, what each says; {} where scores were read
    asks: bool = False  # whether questions are asked otherwise: then only what the target answers so says anything
    worst_of: dict[str, list[str]] = field(
        default_factory=dict
    )  # what the worst is taken of: its name, and the stresses that it is made of, this one among them
    passing: bool = False  # whether it was refused for what may pass, as memory that was full: worth another try

    @property
    def is_trace(self) -> bool:
        """Whether a trace was read, and no scores."""
        return bool(self.tells)

    @property
    def key(self) -> str:
        """The attribute that holds it; ValueError where a stress has a name that no key holds."""
        key = f"{AUDIT}{self.whose}:{self.stress}"
        if len(key) > LONGEST:
            raise ValueError(f"stress {self.stress!r} is too long a name: a key of the store has {LONGEST} characters")
        return key

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`; what a newer version knows besides is left out. TypeError for anything else."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


def audits_of(attributes: Iterable[tuple[str, str]]) -> list[Audited]:
    """The readings among a study's attributes (key and JSON); ValueError or TypeError for a broken one."""
    return [Audited.from_json(json.loads(value)) for key, value in attributes if key.startswith(AUDIT)]
