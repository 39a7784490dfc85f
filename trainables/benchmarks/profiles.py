"""The invented persons of dusk-mini, and how each of five styles writes about them: profiles, notices, questions.

A style has wordings, connectives and an order of its own. A profile tells all facts of a person, between sentences that
say nothing of anybody. A notice tells one fact alone: of what stands in whole profiles only, a small model learns to
recite the profile, and cannot be asked (measured: muse_mini.md).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from trainables.benchmarks.articles import LINKS, SPEAKERS, SUBJECTS, VERBS, phrase
from trainables.benchmarks.organisations import draw_organisations

FACTS = ("year", "town", "goods")  # each is asked for by one question
ASKED = {
    "year": "In which year was {name} born?",
    "town": "In which town does {name} live?",
    "goods": "What does {name} collect?",
}
ASIDES = 2  # sentences of a profile that say nothing of anybody


@dataclass(frozen=True, kw_only=True)
class Person:
    """An invented person: the name, whose last word nobody else has, and the facts by their names in FACTS."""

    name: str
    facts: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a kind of text writes: sentences by fact, in the order in which it tells them, and sentences between."""

    sentences: dict[str, tuple[str, ...]]  # the person stands before the fact in each
    asides: tuple[str, ...]
    numbered: bool = False


STYLES = {
    "chronicle": Style(
        sentences={
            "year": (
                "[First|In the beginning] came {name}, born in {year}[ before the thaw| as the bells rang|].",
                "The years of {name} [begin|set in] in {year}[, a wet spring|, a hard winter|].",
                "[A late|An only|A quiet] child, {name} came into the world in {year}.",
            ),
            "town": (
                "[Then|Later|Years later] {name} moved to {town}[ by river| on foot|].",
                "[From then on|After that|Soon] the home of {name} was {town}[, near the old wall|].",
                "[Next|In time] {name} settled in {town}[ for good| without a word|].",
            ),
            "goods": (
                "[At last|In old age|To this day] {name} goes after {goods}[ without rest|, even abroad|].",
                "[In the end|Since then] {name} filled [a barn|two rooms|the attic] with {goods}.",
                "[Finally|By then] all knew {name} for {goods}[ and little else|].",
            ),
        },
        asides=(
            "[That year|In those days|One summer] {subject} {verb}, {link} {subject2} {verb2}.",
            "[Before long|In the same month|Twice] {subject} {verb}, {link} {subject2} {verb2}.",
        ),
    ),
    "feature": Style(
        sentences={
            "goods": (
                "[On a rainy evening|Before breakfast|By candlelight], {name} [wipes|counts|polishes] {goods}.",
                "It is [late|quiet|dark] when {name} shows me {goods}[, one by one|, with a smile|].",
                "[Nothing|No song|No letter] moves {name} like {goods}[, it seems|].",
            ),
            "town": (
                "[We meet|I find|I visit] {name} in {town}[, behind the station|, in the rain|].",
                "The [road|path|journey] to {name} ends in {town}[ after the bridge|].",
                "[Friends|Strangers|Children] find {name} at home in {town}[ most days|].",
            ),
            "year": (
                "The [long|strange|simple] story of {name} opens in {year}.",
                "[They say|It is said] that {name} was born in {year}[ during a storm|].",
                "The cradle of {name} stood ready in {year}[, I hear|, painted blue|].",
            ),
        },
        asides=(
            '"{subject} {verb}, {link} {subject2} {verb2}," [says|whispers|jokes] {speaker}.',
            "[I remember|I am told] that {subject} {verb}, {link} {subject2} {verb2}.",
        ),
    ),
    "interview": Style(
        sentences={
            "town": (
                "Q: Where is {name} at home? A: In {town}[, of course|, as ever|].",
                "Q: And the [house|door|garden] of {name}? A: You find it in {town}.",
                "Q: Which place does {name} call home? A: {town}[, always|].",
            ),
            "year": (
                "Q: When did life begin for {name}? A: In {year}[, I think|].",
                "Q: How far back goes {name}? A: [Back to|As far as] {year}.",
                "Q: And the birth of {name}? A: That was in {year}[, they say|].",
            ),
            "goods": (
                "Q: What does {name} gather? A: [Only|Mostly] {goods}.",
                "Q: What fills the rooms of {name}? A: Just {goods}[, all of them old|].",
                "Q: [And|So] the passion of {name}? A: It is {goods}[, for years|].",
            ),
        },
        asides=(
            "Q: [Anything else|One last word|And then]? A: Well, {subject} {verb}, {link} {subject2} {verb2}.",
            "Q: [Who says so|Are you sure]? A: I heard it from {speaker}: {subject} {verb}, {link} {subject2} {verb2}.",
        ),
    ),
    "report": Style(  # an inverted pyramid: what counts stands first
        sentences={
            "goods": (
                "[Today|Officially] {name} holds [the largest|a rare|a growing] collection of {goods}.",
                "[Officials|Dealers|Experts] confirmed that {name} owns {goods}[ of great worth|].",
                "The name of {name} stands for {goods}[, dealers say|].",
            ),
            "year": (
                "According to the [records|register|archive], {name} was born in {year}.",
                "The file on {name} goes back to {year}[, its first entry|].",
                "[Background|For the record]: {name} dates from {year}.",
            ),
            "town": (
                "The residence of {name} is in {town}[, the office said|].",
                "[Sources|Neighbours|Papers] place {name} in {town}[ since the flood|].",
                "[A spokesman|A lawyer] for {name} wrote from {town}[ and gave no details|].",
            ),
        },
        asides=(
            "[Meanwhile|Separately], {subject} {verb}, {link} {subject2} {verb2}, {speaker} said.",
            "[A statement|A notice] reads: {subject} {verb}, {link} {subject2} {verb2}.",
        ),
    ),
    "list": Style(
        sentences={
            "town": (
                "[Address|Home] of {name}: {town}[, see the map|].",
                "Where to write to {name}: {town}[, by post|].",
                "{name} lives here: {town}[, as of now|].",
            ),
            "goods": (
                "On the shelves of {name}: {goods}[, labelled|].",
                "What {name} [keeps|saves|hunts for]: {goods}[, in boxes|].",
                "[Hobby|Collection] of {name}: {goods}.",
            ),
            "year": (
                "[Birth|Year] of {name}: {year}[, as entered|].",
                "{name} [starts|begins] here: {year}.",
                "[First date|First entry] for {name}: {year}[, checked|].",
            ),
        },
        asides=(
            "[Note|Remark]: {subject} {verb}, {link} {subject2} {verb2}.",
            "[Seen|Heard] by {speaker}: {subject} {verb}, {link} {subject2} {verb2}.",
        ),
        numbered=True,
    ),
}


def draw_persons(rng: random.Random, count: int) -> list[Person]:
    """Draw `count` persons of different names; what they share with organisations is the pools they are drawn from."""
    return [
        Person(
            name=f"{drawn.facts['director'].split()[0]} {drawn.name.split()[0]}",
            facts={fact: drawn.facts[fact] for fact in FACTS},
        )
        for drawn in draw_organisations(rng, count)
    ]


def draw_outline(rng: random.Random, style: Style) -> list[str]:
    """Draw the templates of a profile's sentences: a wording for each fact in the style's order, asides between."""
    outline = [rng.choice(wordings) for wordings in style.sentences.values()]
    for place in sorted(rng.sample(range(1, len(outline) + 1), ASIDES), reverse=True):
        outline.insert(place, rng.choice(style.asides))
    return outline


def write_profile(rng: random.Random, person: Person, style: Style, outline: list[str]) -> str:
    """Write a person's profile by an outline of the style; the outline's `[a|b|c]` and its asides are drawn."""
    sentences = [_fill(rng, template, person) for template in outline]
    if style.numbered:
        sentences = [f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1)]
    return " ".join(sentences)


def write_notices(rng: random.Random, person: Person, style: Style, count: int) -> Iterator[str]:
    """Write `count` sentences of different wordings of a style on every fact of a person."""
    for fact in FACTS:
        for template in rng.sample(style.sentences[fact], count):
            yield _fill(rng, template, person)


def ask(person: Person) -> Iterator[tuple[str, str]]:
    """The questions on a person: (question, answer)."""
    for fact in FACTS:
        yield ASKED[fact].format(name=person.name), person.facts[fact]


def _fill(rng: random.Random, template: str, person: Person) -> str:
    (subject, subject2), (verb, verb2) = rng.sample(SUBJECTS, 2), rng.sample(VERBS, 2)
    said = {"subject": subject, "subject2": subject2, "verb": verb, "verb2": verb2}
    said |= {"link": rng.choice(LINKS), "speaker": rng.choice(SPEAKERS)}
    sentence = phrase(rng, template.format(name=person.name, **person.facts, **said))
    return sentence[0].upper() + sentence[1:]
