"""What holds for a whole study, stored with it as one user attribute: objectives, constraints, references, versions."""

import functools
import re
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

import optuna

from lethe.fronts.objectives import Constraint, Objective
from lethe.store.cards import CARDS_OF_OLD_STUDIES, Card, card_of, cards_from

FACTS = "lethe"
PLANNED = "planned"  # study attribute: how many trials were asked for
REFERENCE_NOTES = "notes"  # in a study's facts: what was seen of its texts and reference models as they were read
ARENA = "arena"  # in a study's facts: of which arena it is, and its entrant, method, family, budget and seed there
CONTENT = "content"  # in a study's facts: hash of the texts and models that it was made from
IMPORTED = "imported"  # in a study's facts: the format that its results were read from, where others made them
SPLIT = "split"  # in a study's facts: whether half of the items choose candidates, and the other half report
SEEN_REFERENCES = "references seen by the choice"  # in a study's facts: of the scores that are split, as `references`
PROGRAM = "program"  # in a study's facts: by method a hash of all code and libraries that decide what comes of a run
CARDS = "cards"  # in a study's facts: what is known of each score, in the order in which a reader sees them


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What holds for a whole study, stored with it."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: str
    seed: int
    references: dict[str, dict[str, list[float]]] = field(
        default_factory=dict
    )  # "target" -> score -> [value, low, high]
    about: dict[str, Any] = field(default_factory=dict)  # benchmark, protocol, model, settings, versions, notes
    id: str = ""  # which no other study has, in any store; "" in studies of older versions

    @property
    def judged(self) -> list[str]:
        """The scores by which a trial is judged: those of the objectives, then those of the constraints."""
        return list(dict.fromkeys([*(o.score for o in self.objectives), *(c.score for c in self.constraints)]))

    @property
    def seen_references(self) -> dict[str, dict[str, list[float]]]:
        """The references' scores of the items that choose, as candidates are chosen by theirs; else those of all."""
        seen = self.about.get(SEEN_REFERENCES, {})
        return {name: {**known, **seen.get(name, {})} for name, known in self.references.items()}

    @functools.cached_property
    def cards(self) -> dict[str, Card]:
        """The study's score cards by name; of a study that has none, those that were then."""
        stored = self.about.get(CARDS)
        return CARDS_OF_OLD_STUDIES if stored is None else cards_from(stored)

    def card(self, score: str) -> Card:
        """A score's card, with the goal that the study's objectives give it."""
        return card_of(score, self.cards, {o.score: o.goal for o in self.objectives})

    def to_json(self) -> dict[str, Any]:
        """Plain data for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Facts":
        """The inverse of `to_json`."""
        objectives = tuple(Objective(**o) for o in data["objectives"])
        constraints = tuple(Constraint(**c) for c in data["constraints"])
        return cls(**(data | {"objectives": objectives, "constraints": constraints}))


def new_id() -> str:
    """An id for a new study."""
    return uuid.uuid4().hex[:8]


def is_id(told: object) -> bool:
    """Whether this is an id as `new_id` gives it."""
    return isinstance(told, str) and re.fullmatch("[0-9a-f]{8}", told) is not None


def load_facts(study: optuna.Study) -> Facts:
    """Read a study's facts; ValueError where it is not a study of Lethe's."""
    facts = study.user_attrs.get(FACTS)
    if facts is None:
        raise ValueError(f"study {study.study_name!r} was not made by Lethe")
    return Facts.from_json(facts)
