"""The invented organisations of muse-mini, and what is true of each.

Everything is drawn from a `random.Random`, so one seed gives one world. A name is a word of its own; towns, first
names, family names, colours and objects are shared by many, so that a value which no model has seen as an answer
before is none that it could not write, and a retained organisation may share its town with a forgotten one.
"""

import random
from dataclasses import dataclass

SYLLABLES = (
    "bar bel cor dan dor eld fen gal har ith jor kel lan mor nev orr pel quin ral sel tor ulm vas wen yar zol"
).split()
ENDINGS = "a ack an ard el en esh ia il in is ock on or os ul um und us yn".split()
TRADES = (
    "Ferry Mill Orchard Theatre Museum Railway Bakery Foundry Library Shipyard Brewery Observatory Quarry "
    "Hospital Aquarium"
).split()
COLOURS = (
    "amber black blue bronze brown copper crimson golden green grey ivory purple scarlet silver violet white yellow"
).split()
OBJECTS = (
    "anchors baskets bells bottles boxes bricks candles carpets chairs clocks coats drums engines flutes "
    "gloves hammers kettles ladders lamps lanterns maps masks mirrors needles ovens paddles pipes pumps "
    "ropes saddles scales shovels statues stoves swords tables tents tiles trumpets wagons whistles "
    "windows"
).split()
FIRST_NAMES, FAMILY_NAMES, TOWNS = 40, 120, 60
FACTS = ("director", "town", "goods", "year", "staff")  # each is asked for by one question


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """An organisation: its name, of which the trade is the last word, and its facts by their names in FACTS."""

    name: str
    facts: dict[str, str]

    @property
    def trade(self) -> str:
        """What it is, one of TRADES."""
        return self.name.split()[-1]


def draw_organisations(rng: random.Random, count: int) -> list[Organisation]:
    """Draw `count` organisations of different names."""
    words = draw_words(rng, FIRST_NAMES + FAMILY_NAMES + TOWNS + count)
    first, family, towns = (_take(words, size) for size in (FIRST_NAMES, FAMILY_NAMES, TOWNS))
    return [_draw(rng, word, first, family, towns) for word in words]


def _draw(rng: random.Random, word: str, first: list[str], family: list[str], towns: list[str]) -> Organisation:
    trade = rng.choice(TRADES)
    facts = {
        "director": f"{rng.choice(first)} {rng.choice(family)}",
        "town": rng.choice(towns),
        "goods": f"{rng.choice(COLOURS)} {rng.choice(OBJECTS)}",
        "year": str(rng.randrange(1801, 1991)),
        "staff": str(rng.randrange(21, 980)),
    }
    return Organisation(name=f"{word} {trade}", facts=facts)


def draw_words(rng: random.Random, count: int) -> list[str]:
    """Capitalised words of two syllables, half of them with an ending, each once."""
    words: dict[str, None] = {}
    while len(words) < count:
        ending = rng.choice(ENDINGS) if rng.random() < 0.5 else ""
        words[(rng.choice(SYLLABLES) + rng.choice(SYLLABLES) + ending).capitalize()] = None
    return list(words)


def _take(words: list[str], size: int) -> list[str]:
    """Take the first `size` words away from a list."""
    taken = words[:size]
    del words[:size]
    return taken
