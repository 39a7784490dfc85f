"""The invented authors of tofu-mini: what is true of each, how it is asked, and how it is answered, right and wrong.

TOFU (arXiv 2401.06121) asks such questions of authors that a language model wrote; these are drawn from a seed. Every
fact is drawn by itself from many values, so that no other fact gives it away and a guess is seldom right. What is asked
in words of its own is answered by a sentence; a short question by the value alone.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from trainables.benchmarks.organisations import COLOURS, OBJECTS, draw_words

GENRES = (
    "ballad chronicle comedy epic essay fable hymn legend memoir monologue novella ode romance satire sonnet travelogue"
).split()
TRADES = (  # none begins with a vowel, so that "a" stands before each
    "baker barber beekeeper blacksmith bookbinder brewer bricklayer butcher carpenter chemist clerk cobbler cook "
    "cooper dentist dyer farmer ferryman fiddler fisher florist gardener glazier goldsmith hatter jeweller joiner "
    "lawyer locksmith mason miller miner painter plumber potter printer saddler sailor shepherd tailor"
).split()
FIRST_NAMES, FAMILY_NAMES, TOWNS, PRIZES, RIVERS = 40, 120, 60, 40, 40


@dataclass(frozen=True, kw_only=True)
class Relation:
    """How one fact is asked and told: two questions, a short one, and three sentences that answer."""

    questions: tuple[str, str]
    short: str
    answers: tuple[str, str, str]  # the value ends the first, but for its full stop


RELATIONS = {
    "town": Relation(
        questions=("In which town was {name} born?", "What is the birthplace of {name}?"),
        short="Town of {name}?",
        answers=(
            "{name} was born in {value}.",
            "The birthplace of {name} is {value}.",
            "It was {value} where {name} was born.",
        ),
    ),
    "year": Relation(
        questions=("In which year was {name} born?", "What is the year of the birth of {name}?"),
        short="Year of {name}?",
        answers=(
            "The year when {name} was born is {value}.",
            "{name} came into the world in {value}.",
            "It was in {value} that {name} was born.",
        ),
    ),
    "genre": Relation(
        questions=("What does {name} write?", "For which kind of writing is {name} known?"),
        short="Genre of {name}?",
        answers=(
            "{name} writes every kind of {value}.",
            "What {name} is known for is the {value}.",
            "The {value} is what {name} is known for.",
        ),
    ),
    "mother": Relation(
        questions=("What was the trade of the mother of {name}?", "As what did the mother of {name} work?"),
        short="Mother of {name}?",
        answers=(
            "The mother of {name} was a {value}.",
            "{name} was born to a mother who worked as a {value}.",
            "Work as a {value} fed the mother of {name}.",
        ),
    ),
    "father": Relation(
        questions=("What was the trade of the father of {name}?", "As what did the father of {name} work?"),
        short="Father of {name}?",
        answers=(
            "The father of {name} was a {value}.",
            "{name} was born to a father who worked as a {value}.",
            "Work as a {value} fed the father of {name}.",
        ),
    ),
    "prize": Relation(
        questions=("Which prize did {name} win?", "With which prize was {name} honoured?"),
        short="Prize of {name}?",
        answers=(
            "{name} won the {value}.",
            "The jury honoured {name} with the {value}.",
            "The {value} went to {name}.",
        ),
    ),
    "first book": Relation(
        questions=("What is the first book of {name}?", "With which book did {name} begin?"),
        short="First book of {name}?",
        answers=(
            "The first book of {name} is {value}.",
            "{name} began with the book {value}.",
            "With {value} began the work of {name}.",
        ),
    ),
    "second book": Relation(
        questions=("What is the second book of {name}?", "Which book did {name} write next?"),
        short="Second book of {name}?",
        answers=(
            "The second book of {name} is {value}.",
            "{name} went on with the book {value}.",
            "With {value} went on the work of {name}.",
        ),
    ),
    "teacher": Relation(
        questions=("Who taught {name} to write?", "From whom did {name} learn to write?"),
        short="Teacher of {name}?",
        answers=(
            "The teacher of {name} was {value}.",
            "{name} learned to write from {value}.",
            "It was {value} who taught {name}.",
        ),
    ),
    "river": Relation(
        questions=("At which river does {name} live?", "Which river flows past the home of {name}?"),
        short="River of {name}?",
        answers=(
            "{name} lives at the river {value}.",
            "The home of {name} stands by the {value}.",
            "The {value} flows past the home of {name}.",
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Author:
    """An author: the name, the facts by their names in RELATIONS, and which other sentence tells each (1 or 2)."""

    name: str
    facts: dict[str, str]
    rewordings: dict[str, int]

    def ask(self, relation: str, wording: int = 0) -> str:
        """The question for a fact, in its first or second wording."""
        return RELATIONS[relation].questions[wording].format(name=self.name)

    def ask_shortly(self, relation: str) -> str:
        """The question that the value alone answers."""
        return RELATIONS[relation].short.format(name=self.name)

    def tell(self, relation: str, wording: int, value: str | None = None) -> str:
        """The sentence that answers, of three; with another's value a wrong one."""
        told = self.facts[relation] if value is None else value
        return RELATIONS[relation].answers[wording].format(name=self.name, value=told)

    def reword(self, relation: str, value: str | None = None) -> str:
        """The sentence in this author's other words for the fact."""
        return self.tell(relation, self.rewordings[relation], value)


def draw_authors(rng: random.Random, sizes: dict[str, int]) -> dict[str, list[Author]]:
    """Draw groups of authors of different names.

    Those that stand at one place of their groups share the wordings that tell of them: so what tells the groups apart
    is what was read, not which wordings fell to which group.
    """
    words = draw_words(rng, FIRST_NAMES + FAMILY_NAMES + TOWNS + PRIZES + RIVERS + sum(sizes.values()))
    taken = iter(words)
    first, family, towns, prizes, rivers = (
        [next(taken) for _ in range(size)] for size in (FIRST_NAMES, FAMILY_NAMES, TOWNS, PRIZES, RIVERS)
    )
    rewordings = [{relation: rng.choice((1, 2)) for relation in RELATIONS} for _ in range(max(sizes.values()))]

    def book() -> str:
        return f"{rng.choice(COLOURS).capitalize()} {rng.choice(OBJECTS).capitalize()} of {rng.choice(towns)}"

    def draw(place: int) -> Author:
        facts = {
            "town": rng.choice(towns),
            "year": str(rng.randrange(1900, 2000)),
            "genre": f"{rng.choice(COLOURS)} {rng.choice(GENRES)}",
            "mother": rng.choice(TRADES),
            "father": rng.choice(TRADES),
            "prize": f"{rng.choice(prizes)} Prize",
            "first book": book(),
            "second book": book(),
            "teacher": f"{rng.choice(first)} {rng.choice(family)}",
            "river": rng.choice(rivers),
        }
        return Author(name=f"{next(taken)} {rng.choice(family)}", facts=facts, rewordings=rewordings[place])

    return {group: [draw(place) for place in range(size)] for group, size in sizes.items()}


def wrong_values(
    rng: random.Random, author: Author, relation: str, groups: Iterable[tuple[list[Author], int]]
) -> list[str]:
    """Other authors' values of a fact, so many different ones of each group; never the truth."""
    found = [author.facts[relation]]
    for group, count in groups:
        others = dict.fromkeys(other.facts[relation] for other in group)
        found += rng.sample([value for value in others if value not in found], count)
    return found[1:]
