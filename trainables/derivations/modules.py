"""Which retained texts belong to each entity that is to be forgotten: the modules that batches may be drawn in (MELU).

An entity is the subject of facts; forget texts that tell no fact are one module more, the last. Source: Bushipaka et
al. 2025, arXiv 2509.05316.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from trainables.benchmarks.rows import Row
from trainables.derivations.corpus import FORGET, RETAIN, SIDES, Corpus, Derived, seeded
from trainables.derivations.facts import facts
from trainables.derivations.words import cosines

MOST = 8  # texts of each kind that a module may take; of kinds that may name the same, so many more
WITHOUT_NAMES = ("number", "date", "year", "staff")  # types of facts whose objects name nobody


def modules(corpus: Corpus) -> Derived:
    """Each `entity` with the forget `rows` that tell of it, and retain1 rows in the order in which they are taken.

    `direct` are the nearest by tf-idf; `indirect` have facts of the same types and share no name with it; `general` are
    any. The last two are drawn. One row may stand in all three.
    """
    told = {side: _by_row(facts(corpus)[side]) for side in SIDES}
    near = cosines(corpus.texts(FORGET), corpus.texts(RETAIN)).round(9)  # so that last bits decide nothing
    rows_of: dict[str, list[int]] = {}
    for row in range(len(near)):
        rows_of.setdefault(_entity(told[FORGET].get(row, [])), []).append(row)
    named = sorted(rows_of, key=lambda entity: not entity)  # that without a name is the last
    return {FORGET: [_module(corpus, entity, rows_of[entity], told, near) for entity in named]}


def _module(
    corpus: Corpus, entity: str, rows: list[int], told: dict[str, dict[int, list[Row]]], near: np.ndarray
) -> Row:
    own = [fact for row in rows for fact in told[FORGET].get(row, [])]
    names, types = _names(own), {fact["type"] for fact in own}
    alike = [
        row
        for row, others in told[RETAIN].items()
        if types & {fact["type"] for fact in others} and not names & _names(others)
    ]
    every = list(range(near.shape[1]))
    draw = seeded(corpus.seed, "modules", entity)
    return {
        "entity": entity,
        "rows": rows,
        "direct": np.argsort(-near[rows].max(0), kind="stable")[:MOST].tolist(),
        "indirect": draw.sample(alike, min(2 * MOST, len(alike))),
        "general": draw.sample(every, min(3 * MOST, len(every))),
    }


def _by_row(told: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for fact in told:
        found.setdefault(fact["row"], []).append(fact)
    return found


def _entity(told: list[Row]) -> str:
    """Of whom a text tells most; of two, the first; "" where it tells of nobody."""
    return max(Counter(fact["subject"] for fact in told).items(), key=lambda item: item[1], default=("", 0))[0]


def _names(told: list[Row]) -> set[str]:
    return {fact["subject"] for fact in told} | {fact["object"] for fact in told if fact["type"] not in WITHOUT_NAMES}
