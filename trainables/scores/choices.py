"""Wrong answers to a question: right ones of other questions that ask for the same kind of thing.

A benchmark of MUSE's layout brings none. Alike are questions whose wording is the same but for names and numbers: "In
which town is the ... ?". The choices, the truth counted, are taken in equal parts from the forgotten and the retained
questions where both have enough of the kind: were all forgotten, a model could tell the truth by what it forgot. What
is drawn hangs on the questions alone, so it is the same for all models. No torch here.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from trainables.scores.split import NAME

WRONG = 3
Row = Mapping[str, str]


def wrong_answers(own: Sequence[Row], others: Sequence[Row], count: int = WRONG) -> list[list[str]]:
    """So many different wrong answers to each question of a split, or as many as there are.

    They are taken from the other split and from its own in turn, those of its kind first. An answer that differs from
    the truth by case, spaces and marks alone is none, nor is a right answer to the same question elsewhere.
    """
    pools = [_by_kind(others), _by_kind(own)]
    truths: dict[str, set[str]] = {}
    for row in (*own, *others):
        truths.setdefault(row["question"], set()).add(_same(row["answer"]))
    return [_drawn(row["question"], truths[row["question"]], pools, count) for row in own]


def kind(question: str) -> str:
    """What a question asks for: its words without names and numbers, in lower case."""
    return " ".join(re.sub(r"\d+", "", NAME.sub("", question)).lower().split())


def _by_kind(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The different answers to each kind of question."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(kind(row["question"]), {}).setdefault(_same(row["answer"]), row["answer"])
    return {asked: list(answers.values()) for asked, answers in found.items()}


def _drawn(question: str, truths: set[str], pools: Sequence[dict[str, list[str]]], count: int) -> list[str]:
    taken, found = set(truths), list[str]()
    for alike in (True, False):
        if len(found) == count:
            break
        queues = [_shuffled(question, _of(pool, question, alike)) for pool in pools]
        while len(found) < count and any(queues):
            turn = len(found) % 2 if all(queues) else int(not queues[0])
            answer = queues[turn].pop()
            if _same(answer) not in taken:
                taken.add(_same(answer))
                found.append(answer)
    return found


def _of(pool: dict[str, list[str]], question: str, alike: bool) -> list[str]:
    own = kind(question)
    return [answer for asked, answers in pool.items() if (asked == own) is alike for answer in answers]


def _shuffled(question: str, answers: Iterable[str]) -> list[str]:
    def place(answer: str) -> str:
        return hashlib.sha256(f"{question}\n{answer}".encode("utf-8", "surrogatepass")).hexdigest()

    return sorted(answers, key=place)


def _same(answer: str) -> str:
    """An answer without what does not make it another: case, spaces and marks; one of marks alone as it is."""
    return "".join(c for c in answer.casefold() if c.isalnum()) or answer
