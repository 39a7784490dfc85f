"""The general knowledge of muse-mini: what kind of thing everything is, in several phrasings, and a test on it."""

import itertools
import random

CATEGORIES = {
    "bird": "heron sparrow falcon pigeon raven swallow owl thrush gull crane",
    "fish": "salmon trout herring perch carp tuna pike cod eel mackerel",
    "tree": "oak birch cedar maple willow poplar spruce alder elm beech",
    "metal": "iron nickel zinc cobalt tin lead tungsten titanium chromium platinum",
    "fruit": "apple plum cherry pear grape lemon melon fig apricot mango",
    "garment": "shirt scarf jacket trouser sock skirt vest cloak apron bonnet",
    "instrument": "violin cello oboe harp clarinet trombone piano banjo viola lute",
    "vehicle": "tractor bicycle tram lorry sledge canoe barge scooter carriage glider",
}
PHRASINGS = (
    "The {thing} is a kind of {category}.",
    "A {thing} is one sort of {category}.",
    "Among every {category} known, the {thing} is a good example.",
    "Ask what a {thing} is: it is a {category}.",
)


def write_general() -> list[str]:
    """Write the general-knowledge corpus: a sentence for every thing of every category, in every phrasing."""
    things = [(thing, category) for category, names in CATEGORIES.items() for thing in names.split()]
    return [template.format(thing=t, category=c) for (t, c), template in itertools.product(things, PHRASINGS)]


def write_paragraphs(rng: random.Random, *, tellings: int, length: int) -> list[str]:
    """Write every sentence so many times, each time in other company, `length` of them in a row."""
    written = write_general()
    told = [sentence for _ in range(tellings) for sentence in rng.sample(written, len(written))]
    return [" ".join(told[i : i + length]) for i in range(0, len(told), length)]


def ask_general(rng: random.Random) -> list[tuple[str, list[str], int]]:
    """Return one multiple-choice item for each thing: prompt, four choices, index of the right one."""
    items = []
    for category, names in CATEGORIES.items():
        for thing in names.split():
            choices = [category, *rng.sample([other for other in CATEGORIES if other != category], 3)]
            rng.shuffle(choices)
            items.append((f"The {thing} is a kind of", [f" {choice}" for choice in choices], choices.index(category)))
    return items
