"""The worst of several stresses: of each item the one under which a model gives most of what was to be forgotten.

A model may keep a fact to itself in one form of a question and tell it in another. The best of several is higher by
chance also where nothing was known, so it is taken of the target, the candidate and the retrained model alike, and only
what a candidate has beyond the retrained model's says anything. Of each item only those forms count that the target
answers. Nothing is measured for it: it is made of readings that are there. Source: spec probes.md, sections 6 and 14.
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from lethe.analysis.cells import listed
from lethe.fronts.objectives import MAXIMIZE
from lethe.store.audits import Audited
from lethe.store.cards import Card

Items = Mapping[str, pd.Series]  # of each score the values by item
Known = Mapping[tuple[str, str], Items]  # by whose and the stress


def worst_parts(readings: Sequence[Audited]) -> dict[str, tuple[str, ...]]:
    """Each worst-of that some readings belong to, by its name, and the stresses that it is made of."""
    return {name: tuple(parts) for reading in readings for name, parts in reading.worst_of.items()}


def worst_readings(
    parts: Mapping[str, Sequence[str]],
    items: Known,
    answered: Callable[[Items], pd.Series],
    card: Callable[[str], Card],
) -> dict[tuple[str, str], Items]:
    """The items of each worst-of, by whose and its name, of every model that was read under all of its stresses.

    `answered` says of the target's items under a stress which of them it answers.
    """
    found: dict[tuple[str, str], Items] = {}
    for name, stresses in parts.items():
        theirs = {part: answered(items["target", part]) for part in stresses if ("target", part) in items}
        known = pd.DataFrame(theirs)
        for whose in dict.fromkeys(whose for whose, _ in items):
            if all((whose, part) in items for part in stresses):
                own = {part: items[whose, part] for part in stresses}
                found[whose, name] = _of_model(own, known, card)
    return found


def _of_model(own: Mapping[str, Items], answered: pd.DataFrame, card: Callable[[str], Card]) -> Items:
    """Of each score of what was to be forgotten the most that a model gives of each item."""
    scores = set.intersection(*(set(items) for items in own.values()))
    found = {}
    for score in sorted(score for score in scores if card(score).forgotten):
        values = pd.DataFrame({part: items[score] for part, items in own.items()}).dropna()
        sign = -1 if card(score).goal == MAXIMIZE else 1
        found[score] = sign * most_of(sign * values, answered)
    return found


def best_of_several(name: str, stresses: Sequence[str]) -> str:
    """What a reader has to know of a worst-of."""
    return (
        f"{name} takes of each question the most that a model gives under {listed(list(stresses))}. The best of many "
        "is higher by chance also where nothing was known: so it is taken of all models alike, and only what is beyond "
        "the retrained model's own says anything."
    )


def most_of(values: pd.DataFrame, answered: pd.DataFrame) -> pd.Series:
    """Of each row the largest of those columns in which it is answered; of all columns where it is in none of them."""
    there = answered.reindex(index=values.index, columns=values.columns, fill_value=False).astype(bool)
    return values.where(there).max(axis=1).fillna(values.max(axis=1))
