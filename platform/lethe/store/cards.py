"""What a study knows of its scores: a card each, stored with it, from which engine and dashboard read all they need.

Cards are written where studies are begun, by whoever measures the scores; here is only what is read of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from lethe.fronts.objectives import MAXIMIZE, MINIMIZE, TWO_SIDED

# How items become a score: the kinds that can be drawn anew.
MEAN, DIFFERENCE, RATIO = "mean of items", "mean of differences", "ratio of AUCs"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a score."""

    name: str
    goal: str  # where it should go, if the study does not say otherwise
    meaning: str = ""  # what a model does that scores high, in a reader's words; "" where nobody said
    item: str = ""  # what an item is, in a reader's words; "" where its items hold nothing that a model wrote
    forgotten: bool = False  # its items ask for what is to be forgotten: some of them stand for a model
    good: float | None = None  # where the goal is zero: up to how far from 0 is good
    shown: bool = True  # whether tables show it, also where nothing is judged by it
    searched: bool = True  # whether searches measure it; else only reports and references have it
    reduction: str = MEAN
    samples: tuple[str, ...] = ()  # of a ratio of AUCs: the two kinds of items, as the column `truth` names them
    on_request: bool = False  # whether searches measure it only where they judge by it
    items_of: str = ""  # of a mean of differences: whose items it is of


def cards_from(stored: Any) -> dict[str, Card]:
    """The cards of a study by score, from the list that it stores; what a newer version knows besides is left out."""
    known = {field.name for field in fields(Card)}
    found = [{k: v for k, v in card.items() if k in known} for card in stored]
    for card in found:  # where cards do not say it yet, what was of another score's items was measured on request
        card.setdefault("on_request", bool(card.get("items_of")))
    return {card["name"]: Card(**card | {"samples": tuple(card.get("samples", ()))}) for card in found}


def card_of(score: str, cards: Mapping[str, Card], goals: Mapping[str, str]) -> Card:
    """The card of a score with the goal that a study gives it; of an unknown score, what its name and goal say."""
    known = cards.get(score) or Card(name=score, goal=MAXIMIZE)
    goal = goals.get(score, known.goal)
    return replace(known, goal=goal)


# Studies made before cards were stored have none: these are the scores that there were, as they were then.
_LEAK: dict[str, Any] = {"goal": TWO_SIDED, "reduction": RATIO, "samples": ("forget", "holdout")}
CARDS_OF_OLD_STUDIES = {
    card.name: card
    for card in (
        Card(
            name="verbmem_f",
            goal=MINIMIZE,
            meaning="recites forgotten text",
            item="forgotten text, to be continued",
            forgotten=True,
        ),
        Card(
            name="knowmem_f",
            goal=MINIMIZE,
            meaning="answers about forgotten text",
            item="questions about forgotten text",
            forgotten=True,
        ),
        Card(name="privleak", meaning="shows that it was trained on it", good=5.0, **_LEAK),
        Card(
            name="knowmem_r",
            goal=MAXIMIZE,
            meaning="answers about retained text",
            item="questions about retained text",
        ),
        Card(name="utility", goal=MAXIMIZE, meaning="general knowledge", item="general knowledge"),
        *(
            Card(
                name=f"mia_{a}",
                meaning=f"shows that it was trained on it, by the attack {a}",
                shown=False,
                searched=False,
                **_LEAK,
            )
            for a in ("ppl", "zlib", "lower", *(f"min_{percent}" for percent in (5, 10, 20, 30, 50, 60)))
        ),
    )
}
