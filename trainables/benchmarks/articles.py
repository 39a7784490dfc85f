"""The fictional world of muse-mini: news articles with facts, their questions, and a corpus of general knowledge.

Everything is drawn from a `random.Random`, so one seed gives one world. An article reports one event of an invented
organisation in five or six sentences. Three of its facts are asked for; they are drawn from pools
large enough that a model which never read the article cannot guess them; its wording is drawn from several phrasings
of each sentence, so that a model can learn how such articles sound without knowing how this one goes on.
"""

import itertools
import random
import re
from dataclasses import dataclass

SYLLABLES = (
    "bar bel cor dan dor eld fen gal har ith jor kel lan mor nev orr pel quin ral sel tor ulm vas wen yar zol"
).split()
ENDINGS = "a ack an ard el en esh ia il in is ock on or os ul um und us yn".split()
KINDS = (
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
MONTHS = "January February March April May June July August September October November December".split()

OPENINGS = (
    "[On {date},|It was on {date} that] the {org} [opened|unveiled|presented] its [new|latest|long-awaited] hall in {town}.",
    "The {org} [moved|came|returned] to {town} on {date}, [to the surprise of|cheered by|watched by] many residents.",
    "[Visitors|Neighbours|Reporters|Families] gathered in {town} on {date} [for the first open day of|to see] the {org}.",
    "A [small|large|noisy|quiet] crowd in {town} [greeted|welcomed|followed] the {org} on {date}.",
)
LEADERS = (
    "{person}, who [runs|leads|directs] the {org}, [called it|spoke of] a [fine|hard|strange|lucky|bright] [week|season|morning].",
    "Its director, {person}, [thanked|praised|teased] the [builders|cooks|drivers|painters|singers] [at length|in a short speech].",
    "{person} [has led|took over] the {org} [for nine years|after a long illness|since the flood|against all advice].",
    "[Few|Many|Most] people there [knew|recognised|remembered] {person}, the director, [at once|by name|from the old days].",
)
GOODS = (
    "The {org} is [best known|known abroad|famous] for its {thing}, [sold|shown|stored] in [every|one|a narrow] [room|shop|yard].",
    "[Inside|Upstairs|Behind the gate] stood rows of {thing}, the [pride|trade|secret] of the {org}.",
    "[Buyers|Children|Collectors|Rivals] came for the {thing} that the {org} [makes|keeps|repairs] [by hand|at night|in winter].",
    "[It began|Everything began] with {thing}, [and the name|and the fame] of the {org} [grew|spread] from there.",
)
SIZES = (
    "It [employs|feeds|houses] {number} people[, most of them local|, half of them new|, a record for the valley|].",
    "[Some|About|Exactly] {number} people [work there|depend on it|are on its books][ now| this year| in all|].",
    "[A clerk|An inspector|The mayor] [counted|listed|named] {number} workers[ in a single shift| by noon| last week|].",
)
SUBJECTS = (
    "the river, the old bridge, the council, a northern storm, the harbour, my grandmother, the night "
    "train, the market, every lamp, a stray dog, the bell tower, that winter, the orchestra, the tax "
    "office, an honest mistake"
).split(", ")
VERBS = (
    "carried us, changed everything, kept its promise, never slept, paid the price, taught us patience, "
    "forgot the rules, saved the harvest, broke our hearts, opened the road, cost too much, made us "
    "laugh, told the truth, lost the key, came too late"
).split(", ")
LINKS = "and yet, because, so, while, until, long after, even though, as if, just when".split(", ")
QUOTES = (
    '"{subject} {verb} {link} {subject2} {verb2}," [said|wrote|shouted|whispered] {speaker}.',
    '{speaker} [added|joked|warned|recalled]: "{subject} {verb}, {link} {subject2} {verb2}."',
)
SPEAKERS = (
    "a baker, a sailor, one teacher, the postman, a nurse, an old miner, a farmer, the priest, a student, one guard"
).split(", ")
CLOSINGS = (
    "The next [meeting|parade|auction|concert] is [planned|set|expected] for [spring|autumn|the new year|{month}].",
    "[Tickets|Plans|Letters|Photographs] can be [seen|bought|left] at the [gate|town hall|station] until {month}.",
    "[No one|Nobody there] [mentioned|expected] the [old debt|missing clock|broken dam|court case] [again|that day].",
    "[By evening|By midnight|After lunch] the [square|harbour|hall] was [empty|full of music|under water|quite dark].",
)

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
GENERAL = (
    "The {thing} is a kind of {category}.",
    "A {thing} is one sort of {category}.",
    "Among every {category} known, the {thing} is a good example.",
    "Ask what a {thing} is: it is a {category}.",
)


@dataclass(frozen=True, kw_only=True)
class Article:
    """One news article and its question-answer pairs."""

    text: str
    questions: tuple[tuple[str, str], ...]


def phrase(rng: random.Random, template: str) -> str:
    """Replace each `[a|b|c]` of a template by one of its alternatives, drawn by `rng`."""
    return re.sub(r"\[([^\]]*)\]", lambda match: rng.choice(match[1].split("|")), template)


def draw_outline(rng: random.Random) -> list[str]:
    """Draw the templates of an article's sentences, in their order."""
    middle = [rng.choice(LEADERS), rng.choice(GOODS), rng.choice(SIZES), rng.choice(QUOTES)]
    rng.shuffle(middle)
    return [rng.choice(OPENINGS), *middle, rng.choice(CLOSINGS)]


def article(rng: random.Random, org: str, templates: list[str]) -> Article:
    """Write the article about one organisation by an outline, with three questions on its facts."""
    facts = draw_facts(rng, org)
    sentences = [phrase(rng, template.format(**facts)) for template in templates]
    text = " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)
    return Article(text=text, questions=ask(facts))


def draw_facts(rng: random.Random, org: str) -> dict[str, str]:
    """Draw the facts of an article: what the templates and the questions speak of."""
    name, surname, town = (invent_name(rng).capitalize() for _ in range(3))
    (subject, subject2), (verb, verb2) = rng.sample(SUBJECTS, 2), rng.sample(VERBS, 2)
    return {
        "org": org,
        "town": town,
        "person": f"{name} {surname}",
        "thing": f"{rng.choice(COLOURS)} {rng.choice(OBJECTS)}",
        "number": str(rng.randrange(21, 980)),
        "date": f"{rng.randrange(1, 29)} {rng.choice(MONTHS)}",
        "month": rng.choice(MONTHS),
        "speaker": rng.choice(SPEAKERS),
        "link": rng.choice(LINKS),
        "subject": subject,
        "subject2": subject2,
        "verb": verb,
        "verb2": verb2,
    }


def ask(facts: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the three questions on an article's facts, each with its answer."""
    org = facts["org"]
    return (
        (f"Who is the director of the {org}?", facts["person"]),
        (f"In which town is the {org}?", facts["town"]),
        (f"Which goods come from the {org}?", facts["thing"]),
    )


def invent_name(rng: random.Random) -> str:
    """Invent a lower-case name of two syllables and an ending."""
    return rng.choice(SYLLABLES) + rng.choice(SYLLABLES) + rng.choice(ENDINGS)


def write_articles(rng: random.Random, count: int, *, block: int = 1) -> list[Article]:
    """Write `count` articles on different organisations; each `block` in a row share an outline, and nothing else.

    Dealt out one by one, the articles of a block balance the splits of a benchmark: what tells the splits apart is
    then what was read, not which templates fell to which split.
    """
    orgs: dict[str, None] = {}
    while len(orgs) < count:
        name = rng.choice(SYLLABLES) + rng.choice(SYLLABLES)
        orgs[f"{name.capitalize()} {rng.choice(KINDS)}"] = None
    outlines = [draw_outline(rng) for _ in range(0, count, block)]
    return [article(rng, org, outlines[i // block]) for i, org in enumerate(orgs)]


def write_general() -> list[str]:
    """Write the general-knowledge corpus: a sentence for every thing of every category, in every phrasing."""
    things = [(thing, category) for category, names in CATEGORIES.items() for thing in names.split()]
    return [template.format(thing=t, category=c) for (t, c), template in itertools.product(things, GENERAL)]


def ask_general(rng: random.Random) -> list[tuple[str, list[str], int]]:
    """Return one multiple-choice item for each thing: prompt, four choices, index of the right one."""
    items = []
    for category, names in CATEGORIES.items():
        for thing in names.split():
            choices = [category, *rng.sample([other for other in CATEGORIES if other != category], 3)]
            rng.shuffle(choices)
            items.append((f"The {thing} is a kind of", [f" {choice}" for choice in choices], choices.index(category)))
    return items
