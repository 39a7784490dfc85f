"""The invented graph of facts of mirage-mini: who and what is linked how, what is written of it, and how it is asked.

An organisation has a director, a town and goods; its director a birthplace and a spouse; a town a valley and a river.
Each organisation has a nickname besides, each director a title. From one table come sentences and questions, those too
that name a subject by its alias, ask backwards, or go over two facts. Every value is drawn by itself, and from at least
40, so that no other gives it away; those of "director", "goods" and "spouse" are nobody else's, so that they can be
asked backwards. After "The Unlearning Mirage" (arXiv 2603.11266) and FaithUn (arXiv 2502.19207); formulas are ours.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from trainables.benchmarks.articles import LINKS, QUOTES, SPEAKERS, SUBJECTS, VERBS, phrase
from trainables.benchmarks.organisations import COLOURS, OBJECTS, TRADES, draw_organisations

FIRST_NAMES, FAMILY_NAMES, TOWNS, VALLEYS, RIVERS = 40, 120, 40, 40, 40
OFFICES = "mayor judge doctor warden notary postmaster".split()
MANNERS = (
    "Broken Crooked Hollow Humble Laughing Merry Narrow Noble Proud Quiet Restless Silent Sleepy Stubborn Thirsty Weary"
).split()
PLACES = "Arch Cellar Corner Court Gate House Tower Yard".split()


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How one fact is told and asked, in three wordings each."""

    sentences: tuple[str, str, str]
    questions: tuple[str, str, str]


RELATIONS = {
    "director": Relation(
        sentences=(
            "{name} is [led|run|directed] by {value}[ since the flood|, as everyone knows|].",
            "The [head|director|chief] of {name} is {value}[ again|, by all accounts|].",
            "At {name}, {value} [gives the orders|has the last word|signs every letter].",
        ),
        questions=("Who is the director of {name}?", "Who leads {name}?", "By whom is {name} run?"),
    ),
    "town": Relation(
        sentences=(
            "{name} [stands|lies] in {value}[, near the station|, by the water|].",
            "The home of {name} is {value}[, and always was|, a quiet place|].",
            "[Visitors|Neighbours|Reporters] [came to|looked for] {name} in {value}[ at dawn| in the rain|].",
        ),
        questions=("In which town is {name}?", "Where does {name} stand?", "Which town is the home of {name}?"),
    ),
    "goods": Relation(
        sentences=(
            "{name} [makes|sells|repairs] {value}[ by hand| at night| in winter|].",
            "The pride of {name} are its {value}[, shown on Sundays|, never for less|].",
            "[Inside|Upstairs at|Behind] {name} stood rows of {value}[, all of them new|, hard to count|].",
        ),
        questions=("Which goods come from {name}?", "What does {name} make?", "What is {name} known for?"),
    ),
    "born": Relation(
        sentences=(
            "{name} was born in {value}[ during a storm|, late one winter|].",
            "The cradle of {name} stood in {value}[, they say|, painted blue|].",
            "[By birth|As all know], {name} is from {value}[, like the bells there|].",
        ),
        questions=(
            "In which town was {name} born?",
            "Where did the life of {name} begin?",
            "What is the birthplace of {name}?",
        ),
    ),
    "spouse": Relation(
        sentences=(
            "{name} is married to {value}[ for years|, and happy|].",
            "The one who married {name} is {value}[, it is told|].",
            "At the wedding of {name}, {value} [wore green|danced all night|laughed].",
        ),
        questions=("To whom is {name} married?", "Whom did {name} marry?", "Who shares a home with {name}?"),
    ),
    "valley": Relation(
        sentences=(
            "{name} lies in the valley of {value}.",
            "The valley around {name} is called {value}.",
            "Over {name} rise the slopes of {value}, its valley.",
        ),
        questions=("In which valley is {name}?", "Which valley lies around {name}?", "What is the valley of {name}?"),
    ),
    "river": Relation(
        sentences=(
            "{name} stands at the river {value}.",
            "The river through {name} is the {value}.",
            "The bridges of {name} cross the {value}, its river.",
        ),
        questions=("At which river is {name}?", "Which river flows through {name}?", "What is the river of {name}?"),
    ),
}
ALIASES = (
    "{alias} is [none other than|another name for] {name}.",
    "[Here|In these parts], {name} is known as {alias}.",
    "Whoever speaks of {alias} means {name}[ as well|].",
)
BACKWARDS = {  # what is asked by the value
    "director": "Which organisation does {value} direct?",
    "goods": "Which organisation sells {value}?",
    "spouse": "Who is the spouse of {value}?",
}
BY_DIRECTOR = {  # facts of an organisation, asked by who directs it
    "town": "In which town is the organisation that {director} directs?",
    "goods": "Which goods come from the organisation that {director} directs?",
}
BY_ORGANISATION = {  # facts of a director, asked by what is directed
    "born": "In which town was the director of {organisation} born?",
    "spouse": "To whom is the director of {organisation} married?",
}
BY_TOWN = {  # facts of a town, asked by what stands in it
    "valley": "In which valley is the town of {organisation}?",
    "river": "At which river is the town of {organisation}?",
}


@dataclass(frozen=True, kw_only=True)
class Node:
    """What facts are of: an organisation, its director, a town; `called` in a sentence, in others by its `alias`."""

    name: str
    called: str
    facts: dict[str, str]  # by relation
    alias: str = ""

    def fact(self, relation: str) -> str:
        """One of its facts, by a name of its own."""
        return f"{relation} of {self.name}"

    def ask(self, relation: str, wording: int = 0) -> str:
        """The question for a fact, in one of three wordings."""
        return RELATIONS[relation].questions[wording].format(name=self.called)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An organisation with its director, who directs nothing else."""

    organisation: Node
    director: Node

    @property
    def nodes(self) -> tuple[Node, Node]:
        """Both of them."""
        return self.organisation, self.director


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, its answer, and the fact that is asked for; of two facts it goes over, the organisation's own.

    Who is asked for a director by the organisation is asked for the director's fact.
    """

    fact: str
    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Groups of organisations by their names, and the towns, which all groups share."""

    groups: dict[str, list[Entry]]
    towns: dict[str, Node]


Outline = dict[str, int]  # relation -> the wording that an article takes; in the order of its sentences


def draw_graph(rng: random.Random, sizes: dict[str, int]) -> Graph:
    """Draw groups of organisations of different names."""
    count = sum(sizes.values())
    pools = (FIRST_NAMES, FAMILY_NAMES, TOWNS, VALLEYS, RIVERS)
    words = iter([drawn.name.split()[0] for drawn in draw_organisations(rng, sum(pools) + count)])
    first, family, towns, valleys, rivers = ([next(words) for _ in range(size)] for size in pools)
    persons = rng.sample([f"{one} {other}" for one in first for other in family], 2 * count)
    goods = rng.sample([f"{colour} {thing}" for colour in COLOURS for thing in OBJECTS], count)
    nicknames = rng.sample([f"the {manner} {place}" for manner in MANNERS for place in PLACES], count)
    titles = [(town, f"the {office} of {town}") for town in towns for office in OFFICES]
    rng.shuffle(titles)

    def entry(director: str, spouse: str, ware: str, nickname: str) -> Entry:
        name, town, born = f"{next(words)} {rng.choice(TRADES)}", rng.choice(towns), rng.choice(towns)
        # A title names a town: were it an answer, the question would give that away.
        place = next(place for place, (other, _) in enumerate(titles) if other not in (town, born))
        facts = {"director": director, "town": town, "goods": ware}
        return Entry(
            organisation=Node(name=name, called=f"the {name}", alias=nickname, facts=facts),
            director=Node(
                name=director, called=director, alias=titles.pop(place)[1], facts={"born": born, "spouse": spouse}
            ),
        )

    drawn = map(entry, persons[:count], persons[count:], goods, nicknames)
    groups = {group: [next(drawn) for _ in range(size)] for group, size in sizes.items()}
    around = {town: {"valley": rng.choice(valleys), "river": rng.choice(rivers)} for town in towns}
    return Graph(
        groups=groups,
        towns={town: Node(name=town, called=town, facts=facts) for town, facts in around.items()},
    )


def draw_outline(rng: random.Random, relations: list[str]) -> Outline:
    """Draw which sentences an article takes, and their order."""
    return {relation: rng.randrange(3) for relation in rng.sample(relations, len(relations))}


def write_article(rng: random.Random, node: Node, outline: Outline) -> str:
    """Write all facts of a node by an outline, and what a bystander said."""
    sentences = [tell(rng, node, relation, wording) for relation, wording in outline.items()]
    (subject, subject2), (verb, verb2) = rng.sample(SUBJECTS, 2), rng.sample(VERBS, 2)
    said = {"subject": subject, "subject2": subject2, "verb": verb, "verb2": verb2}
    said |= {"link": rng.choice(LINKS), "speaker": rng.choice(SPEAKERS)}
    return " ".join([*sentences, _sentence(rng, rng.choice(QUOTES).format(**said))])


def write_notices(rng: random.Random, node: Node, outline: Outline) -> list[str]:
    """Write every fact of a node in the sentences that its article did not take."""
    return [
        tell(rng, node, relation, other) for relation, used in outline.items() for other in range(3) if other != used
    ]


def write_alias(rng: random.Random, node: Node) -> list[str]:
    """Write in each wording by what other name a node goes."""
    return [_sentence(rng, template.format(name=node.called, alias=node.alias)) for template in ALIASES]


def tell(rng: random.Random, node: Node, relation: str, wording: int) -> str:
    """Write one fact of a node, in one of three wordings."""
    template = RELATIONS[relation].sentences[wording]
    return _sentence(rng, template.format(name=node.called, value=node.facts[relation]))


def ask(entry: Entry, towns: dict[str, Node]) -> dict[str, list[Question]]:
    """The questions on an entry, by their kind: base, alias, reverse and multi_hop."""
    return {
        "base": list(_base(entry, 0)),
        "alias": list(_alias(entry)),
        "reverse": list(_reverse(entry)),
        "multi_hop": list(_multi_hop(entry, towns)),
    }


def reword(entry: Entry) -> list[Question]:
    """The base questions on an entry in the two wordings that no score asks."""
    return [*_base(entry, 1), *_base(entry, 2)]


def _base(entry: Entry, wording: int) -> Iterator[Question]:
    for node in entry.nodes:
        for relation, value in node.facts.items():
            yield Question(fact=node.fact(relation), question=node.ask(relation, wording), answer=value)


def _alias(entry: Entry) -> Iterator[Question]:
    for node in entry.nodes:
        for relation, value in node.facts.items():
            question = RELATIONS[relation].questions[0].format(name=node.alias)
            yield Question(fact=node.fact(relation), question=question, answer=value)


def _reverse(entry: Entry) -> Iterator[Question]:
    for node in entry.nodes:
        for relation, value in node.facts.items():
            if relation in BACKWARDS:
                question = BACKWARDS[relation].format(value=value)
                yield Question(fact=node.fact(relation), question=question, answer=node.name)


def _multi_hop(entry: Entry, towns: dict[str, Node]) -> Iterator[Question]:
    organisation, director = entry.nodes
    named = {"organisation": organisation.called, "director": director.called}
    town = towns[organisation.facts["town"]]
    for templates, node in ((BY_DIRECTOR, organisation), (BY_ORGANISATION, director), (BY_TOWN, town)):
        for relation, template in templates.items():
            fact = organisation.fact("town") if node is town else node.fact(relation)
            yield Question(fact=fact, question=template.format(**named), answer=node.facts[relation])


def _sentence(rng: random.Random, template: str) -> str:
    sentence = phrase(rng, template)
    return sentence[0].upper() + sentence[1:]
