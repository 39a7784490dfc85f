"""What a derivation may read of a benchmark: text to be forgotten and text to be kept, never what is scored. No torch.

Choices are drawn from a seed by `seeded`, which gives the same in every process.
"""

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trainables.benchmarks.layout import BLANK, Benchmark
from trainables.benchmarks.rows import COLUMNS, Row
from trainables.benchmarks.words import split_words
from trainables.failures import Unfit
from trainables.settings import REQUESTS

Derived = dict[str, list[Row]]  # rows by side

FORGET, RETAIN, NEW = "forget", "retain1", "new"
SIDES = (FORGET, RETAIN)
ALL = "raw/forget"  # the request for all that is to be forgotten
UNRELATED = "unrelated"
REQUESTED = frozenset(split for splits in REQUESTS.values() for split in splits)
READABLE = REQUESTED | {"raw/retain1", "raw/unrelated", "facts/forget", "facts/retain1"}
SCORED = frozenset(COLUMNS) - {split.split("/")[0] for split in READABLE} - {"paraphrases", "neighbours", "qa"}
LONGEST = 512  # words of a chunk
ASKED = re.compile(r"Question: ([^\n]+)\nAnswer: ([^\n]+)")


@dataclass(frozen=True, kw_only=True)
class Models:
    """The target and its tokenizer. `key` tells their bits; without one nothing of them is kept in the cache.

    A derivation that writes by the target needs it, one that counts tokens only the tokenizer. `decode` is a way of
    decoding that is right for the target (decoding/passes.py).
    """

    tokenizer: Any
    target: Any = None
    key: str = ""
    decode: str = "shared"
    batch_size: int = 32


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A benchmark as a derivation reads it, the seed of its choices, and the request: the split to be forgotten."""

    benchmark: Benchmark
    seed: int = 0
    request: str = ALL
    models: Models | None = None

    def rows(self, config: str, split: str) -> list[Row]:
        """The rows of a split that may be trained on; ValueError for any other, and for one that is not there."""
        if f"{config}/{split}" not in READABLE:
            raise ValueError(
                f"derived data may not be made of {config}/{split}: what is scored is never training data (it may be "
                f"made of {', '.join(sorted(READABLE - REQUESTED | {self.request}))})"
            )
        return self.benchmark.rows(config, split)

    def texts(self, side: str) -> list[str]:
        """The texts of the request ("forget"), of "retain1", or of "unrelated", of which there may be none."""
        config, split = self.request.split("/") if side == FORGET else ("raw", side)
        if side == UNRELATED and not self.benchmark.has(config, split):
            return []
        return [row["text"] for row in self.rows(config, split)]

    def kept(self) -> list[str]:
        """The texts of "retain1" and of "unrelated"."""
        return self.texts(RETAIN) + self.texts(UNRELATED)

    def readable(self) -> list[Any]:
        """Every row that a derivation may read here, as plain data."""
        splits = sorted((READABLE - REQUESTED) | {self.request})
        there = [split.split("/") for split in splits if self.benchmark.has(*split.split("/"))]
        return [[*place, self.rows(*place)] for place in there]

    def lacks(self, what: str) -> Unfit:
        """The error that the benchmark does not give some data, which `what` says with the reason."""
        return Unfit(f"benchmark {self.benchmark.name!r}: {what}")


def chunks(text: str) -> Iterator[str]:
    """The parts of a text that are looked at each by itself.

    They are its paragraphs where it is questions with their answers, else pieces of up to LONGEST words.
    """
    if ASKED.search(text):
        yield from text.split(BLANK)
        return
    words = split_words(text)
    for first in range(0, len(words), LONGEST):
        yield "".join(words[first : first + LONGEST])


def seeded(*what: object) -> random.Random:
    """A generator that is a pure function of its arguments, in every process: Python's hash() is not."""
    return random.Random(hashlib.blake2b(repr(what).encode(), digest_size=16).hexdigest())
