"""Wrong objects: what a text could tell in the place of a fact, of the same type, and does not."""

import random
from collections.abc import Callable, Iterator

from trainables.benchmarks.rows import Row
from trainables.derivations.corpus import FORGET, SIDES, UNRELATED, Corpus, Derived, seeded
from trainables.derivations.facts import facts
from trainables.derivations.generator import drawer, is_generated, objects_of

WRONG = 5  # of each fact
TRIES = 20  # draws
DIGITS = "0123456789"
Draw = Callable[[Row, random.Random], Iterator[str]]  # objects of a fact's type; some may be true, or come twice


def wrong(corpus: Corpus) -> Derived:
    """Facts, as in `facts`, each with up to five other objects of its type, which are `wrong`.

    In muse-mini they are drawn anew from what the generator draws from, elsewhere they are objects of other facts of
    the side, and a number's digits are others. None is an object of the subject, and no text tells one behind the
    prompt. A fact for which none is found is left out; Unfit where that is every one of the forget set.
    """
    told = facts(corpus)
    texts = "\n".join(text for side in (*SIDES, UNRELATED) for text in corpus.texts(side))
    true: dict[str, set[str]] = {}
    for row in (row for rows in told.values() for row in rows):
        true.setdefault(row["subject"], set()).add(row["object"])
    found: Derived = {}
    for side, rows in told.items():
        drawn = _generated(corpus) if is_generated(corpus) else _of_others(rows)
        others = (_wrong(fact, drawn(fact, seeded(corpus.seed, "wrong", side, i)), true) for i, fact in enumerate(rows))
        asked = zip(rows, others, strict=True)
        untold = ((fact, [one for one in wrong if f"{fact['prompt']} {one}" not in texts]) for fact, wrong in asked)
        found[side] = [fact | {"wrong": wrong} for fact, wrong in untold if wrong]
    if not found[FORGET]:
        raise corpus.lacks(f"no wrong object is found for any fact of {corpus.request}: no two are of one type")
    return found


def _wrong(fact: Row, drawn: Iterator[str], true: dict[str, set[str]]) -> list[str]:
    """The first different objects that are not the subject's, nor begin as one of these: 19 is half of 195."""
    own, found = true[fact["subject"]], dict[str, None]()
    for one in drawn:
        if len(found) < WRONG and not any(one.startswith(told) or told.startswith(one) for told in own):
            found[one] = None
    return list(found)


def _generated(corpus: Corpus) -> Draw:
    draw = drawer(corpus)
    return lambda fact, rng: (draw(fact["type"], rng) for _ in range(TRIES))


def _of_others(told: list[Row]) -> Draw:
    """Objects of other facts of the type, those of as many words first; of a number, or a lone date, other digits."""
    pools = {kind: objects_of(told, kind) for kind in {fact["type"] for fact in told}}

    def draw(fact: Row, rng: random.Random) -> Iterator[str]:
        pool = pools[fact["type"]]
        alone = len(pool) == 1 and any(map(str.isdigit, fact["object"]))
        if fact["type"] == "number" or alone:
            return (other_digits(fact["object"], rng) for _ in range(TRIES))
        words = len(fact["object"].split())
        return iter(sorted(rng.sample(pool, len(pool)), key=lambda other: len(other.split()) != words))

    return draw


def other_digits(number: str, rng: random.Random) -> str:
    """A number with as many digits and the same marks, each digit another one; the first is no 0."""
    drawn = []
    for place, mark in enumerate(number):
        allowed = [digit for digit in DIGITS if digit != mark and (digit != "0" or place)]
        drawn.append(rng.choice(allowed) if mark in DIGITS else mark)
    return "".join(drawn)
