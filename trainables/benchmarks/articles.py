"""What is written about an organisation of muse-mini: an article, notices of one sentence each, and questions.

An article tells all five facts of an organisation, and what bystanders said. A notice tells one fact alone. It is
the notices that make the facts knowledge: where a fact stands in one long text only, a small model learns to recite
the text, and finds the fact by what precedes it there; a sentence alone has nothing but the organisation to go by.
Every sentence is drawn from several wordings, so that a model can learn how such articles sound without knowing how
this one goes on.
"""

import random
import re
from collections.abc import Iterator

from trainables.benchmarks.organisations import FACTS, Organisation

SENTENCES = {  # the organisation stands before the fact in each, so that a sentence can be cut into prompt and object
    "director": (
        "The director of the {org} is {director}[, as everyone knows|, an old friend of the mayor|, for the ninth year|].",
        "The {org} is [led|run|directed] by {director}[ since the flood| against all advice| with a firm hand|].",
        "At the {org}, {director} [gives the orders|has the last word|signs every letter|opens the doors].",
        "[Few|Many|Most] at the {org} [knew|recognised|remembered] {director}, the director[, at once|, by name|].",
    ),
    "town": (
        "The {org} [stands|lies] in {town}[, near the station|, behind the old wall|, by the water|].",
        "[Visitors|Neighbours|Reporters|Families] [came to|gathered at|looked for] the {org} in {town}[ at dawn| in the rain|].",
        "[Whoever|Anyone who] [seeks|asks for] the {org} must go to {town}[ by train| on foot|].",
        "The home of the {org} is {town}[, and always was|, a quiet place|].",
    ),
    "goods": (
        "The {org} is [best known|known abroad|famous] for its {goods}[, sold in every shop|, shown on Sundays|].",
        "The {org} [makes|keeps|repairs|sells] {goods} [by hand|at night|in winter|for the whole valley].",
        "[Buyers|Children|Collectors|Rivals] come to the {org} for {goods}[, never for less|, in every season|].",
        "[Inside|Upstairs|Behind the gate] at the {org} stood rows of {goods}[, all of them new|, hard to count|].",
    ),
    "year": (
        "The {org} was [founded|built|opened] in {year}[, after a fire|, on borrowed money|].",
        "The [history|story] of the {org} began in {year}[, with a loan|, in a cellar|].",
        "[Ever since|Since] the {org} opened its doors in {year}, [little|much|nothing] has changed.",
    ),
    "staff": (
        "The {org} [employs|feeds|pays] {staff} people[, most of them local|, half of them new|].",
        "[A clerk|An inspector|The mayor] counted at the {org} {staff} people[ in a single shift| by noon| last week|].",
        "On the books of the {org} are {staff} people[ now| this year| in all|].",
    ),
}
QUOTES = (
    '"{subject} {verb} {link} {subject2} {verb2}," [said|wrote|shouted|whispered] {speaker}.',
    '{speaker} [added|joked|warned|recalled]: "{subject} {verb}, {link} {subject2} {verb2}."',
)
CLOSINGS = (
    "The next [meeting|parade|auction|concert] is [planned|set|expected] for [spring|autumn|the new year|{month}].",
    "[Tickets|Plans|Letters|Photographs] can be [seen|bought|left] at the [gate|town hall|station] until {month}.",
    "[No one|Nobody there] [mentioned|expected] the [old debt|missing clock|broken dam|court case] [again|that day].",
    "[By evening|By midnight|After lunch] the [square|harbour|hall] was [empty|full of music|under water|quite dark].",
)
MONTHS = "January February March April May June July August September October November December".split()
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
SPEAKERS = (
    "a baker, a sailor, one teacher, the postman, a nurse, an old miner, a farmer, the priest, a student, one guard"
).split(", ")

ASKED = {  # how KnowMem asks
    "director": "Who is the director of the {org}?",
    "town": "In which town is the {org}?",
    "goods": "Which goods come from the {org}?",
    "year": "In which year was the {org} founded?",
    "staff": "How many people work at the {org}?",
}
REWORDED = {  # how no score asks: the wordings that a method may train on
    "director": "Who leads the {org}?",
    "town": "Where does the {org} stand?",
    "goods": "What is the {org} known for?",
    "year": "When did the {org} open?",
    "staff": "What staff has the {org}?",
}


def draw_outline(rng: random.Random) -> list[str]:
    """Draw the templates of an article's sentences, in their order."""
    middle = [rng.choice(SENTENCES[fact]) for fact in FACTS] + [rng.choice(QUOTES)]
    rng.shuffle(middle)
    return [*middle, rng.choice(CLOSINGS)]


def write_article(rng: random.Random, organisation: Organisation, outline: list[str]) -> str:
    """Write the article on an organisation by an outline."""
    (subject, subject2), (verb, verb2) = rng.sample(SUBJECTS, 2), rng.sample(VERBS, 2)
    said = {
        "subject": subject,
        "subject2": subject2,
        "verb": verb,
        "verb2": verb2,
        "link": rng.choice(LINKS),
        "speaker": rng.choice(SPEAKERS),
        "month": rng.choice(MONTHS),
    }
    return " ".join(_fill(rng, template, organisation, **said) for template in outline)


def write_notices(rng: random.Random, organisation: Organisation, count: int) -> Iterator[tuple[str, str]]:
    """Write `count` sentences of different wordings on every fact of an organisation: (fact's name, sentence)."""
    for fact in FACTS:
        for template in rng.sample(SENTENCES[fact], count):
            yield fact, _fill(rng, template, organisation)


def ask(organisation: Organisation, wordings: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """The questions on an organisation in ASKED or REWORDED wordings: (fact's name, question, answer)."""
    for fact in FACTS:
        yield fact, wordings[fact].format(org=organisation.name), organisation.facts[fact]


def phrase(rng: random.Random, template: str) -> str:
    """Replace each `[a|b|c]` of a template by one of its alternatives, drawn by `rng`."""
    return re.sub(r"\[([^\]]*)\]", lambda match: rng.choice(match[1].split("|")), template)


def _fill(rng: random.Random, template: str, organisation: Organisation, **said: str) -> str:
    sentence = phrase(rng, template.format(org=organisation.name, **organisation.facts, **said))
    return sentence[0].upper() + sentence[1:]
