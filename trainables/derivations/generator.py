"""muse-mini's generator, run again: on the organisations that its facts tell of, and on new ones.

A benchmark is muse-mini's kind (muse-mini, wmdp-mini) where the facts that it brings are of the types of an
organisation. Names of new ones have three syllables, which no name of the generator's has; so they are nobody's.
"""

import random
from collections.abc import Callable, Sequence

from trainables.benchmarks import articles
from trainables.benchmarks.organisations import (
    COLOURS,
    FACTS,
    OBJECTS,
    SYLLABLES,
    Organisation,
    draw_organisations,
)
from trainables.benchmarks.rows import Row
from trainables.derivations.corpus import FORGET, SIDES, Corpus

YEARS, STAFF = (1801, 1990), (21, 979)  # as the generator draws them


def is_generated(corpus: Corpus) -> bool:
    """Whether a benchmark tells of the generator's organisations."""
    has = corpus.benchmark.has("facts", FORGET)
    return has and {row["type"] for row in corpus.rows("facts", FORGET)} == set(FACTS)


def organisations_told(corpus: Corpus, side: str) -> dict[str, Organisation]:
    """The organisations that the facts of a side tell of, by name; none in a benchmark of another kind."""
    told: dict[str, dict[str, str]] = {}
    for row in corpus.rows("facts", side) if is_generated(corpus) else ():
        told.setdefault(row["subject"], {})[row["type"]] = row["object"]
    return {name: Organisation(name=name, facts=found) for name, found in told.items() if len(found) == len(FACTS)}


def written_again(organisation: Organisation, rng: random.Random) -> str:
    """The article on an organisation, from the same facts, by templates that are drawn anew."""
    return articles.write_article(rng, organisation, articles.draw_outline(rng))


def invented_name(rng: random.Random) -> str:
    """A word of three syllables, capitalised: no name of the generator's."""
    return "".join(rng.choice(SYLLABLES) for _ in range(3)).capitalize()


def invented_organisations(rng: random.Random, count: int) -> list[Organisation]:
    """So many organisations that no text tells of."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[invented_name(rng)] = None
    drawn = draw_organisations(rng, count)
    return [Organisation(name=f"{word} {one.trade}", facts=one.facts) for word, one in zip(names, drawn, strict=True)]


def drawer(corpus: Corpus) -> Callable[[str, random.Random], str]:
    """What draws an object of a type of FACTS, from what the generator draws it from.

    Names of persons and towns are of those that the facts of both sides tell.
    """
    told = [row for side in SIDES if corpus.benchmark.has("facts", side) for row in corpus.rows("facts", side)]
    towns, directors = objects_of(told, "town"), objects_of(told, "director")
    first, family = (sorted({name.split()[i] for name in directors}) for i in (0, -1))

    def draw(kind: str, rng: random.Random) -> str:
        if kind in ("year", "staff"):
            return str(rng.randint(*(YEARS if kind == "year" else STAFF)))
        if kind == "town":
            return rng.choice(towns)
        one, two = (COLOURS, OBJECTS) if kind == "goods" else (first, family)
        return f"{rng.choice(one)} {rng.choice(two)}"

    return draw


def objects_of(facts: Sequence[Row], kind: str) -> list[str]:
    """The different objects of a type, in order."""
    return sorted({row["object"] for row in facts if row["type"] == kind})
