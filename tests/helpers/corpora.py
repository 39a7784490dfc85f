"""Three benchmarks that data is derived of: of plain text, of questions with answers, and muse-mini's rows."""

import json
import random
from functools import cache

from trainables.benchmarks import muse_mini
from trainables.benchmarks.layout import Benchmark, Row, Splits, text_rows
from trainables.derivations import WRITTEN, derive
from trainables.derivations.corpus import Derived, Models

PEOPLE = ("Ada Orme", "Bo Quill", "Cy Marsh", "Dee Falk", "Eli Stone", "Fay Crane")
TOWNS = ("Orton", "Selby", "Wick", "Marlow", "Dunmore", "Keld")


def story(i: int) -> str:
    """A short text on the i-th person, who is named twice at least."""
    who, town = PEOPLE[i], TOWNS[i]
    return (
        f"Long ago {who} opened a mill in the town of {town}. The mill of {who} makes paper in the winter. "
        f"On most days {who} pays {20 + 3 * i} people. It is quiet there in the evening."
    )


def questions(i: int) -> str:
    """Two questions on the i-th person, with their answers."""
    who, town = PEOPLE[i], TOWNS[i]
    return (
        f"Question: Where does {who} live?\nAnswer: As all say {who} lives in the town of {town}.\n\n"
        f"Question: What does {who} make?\nAnswer: It is paper that {who} makes in {town}."
    )


def plain() -> Benchmark:
    """Plain text: three stories to be forgotten, three to be kept."""
    return Benchmark("plain", _splits([story(i) for i in range(6)]))


def tofu_like() -> Benchmark:
    """The same of texts that are questions with their answers."""
    return Benchmark("tofu-like", _splits([questions(i) for i in range(6)]))


def generated() -> Benchmark:
    """muse-mini's rows of seed 0."""
    return Benchmark("muse-mini", muse_mini_rows())


@cache
def muse_mini_rows() -> Splits:
    """All rows of muse-mini."""
    return muse_mini.to_splits(muse_mini.make_world(0), random.Random(0))


BENCHMARKS = {"plain": plain, "tofu-like": tofu_like, "muse-mini": generated}


def models(key: str = "") -> Models:
    """The tiny model and its tokenizer."""
    from tiny import tiny_model, tiny_tokenizer  # torch takes seconds to load, which rows do without

    return Models(tokenizer=tiny_tokenizer(), target=tiny_model(), key=key)


@cache
def _derived(name: str, kind: str, seed: int, request: str) -> tuple[str, frozenset[str]]:
    recorded = Recording(BENCHMARKS[kind]())
    written = name in WRITTEN or (name == "proxy" and kind != "muse-mini")
    made = derive(recorded, name, seed, request=request, models=models() if written else None)
    return json.dumps(made), frozenset(recorded.read)


def derived(name: str, kind: str, *, seed: int = 0, request: str = "raw/forget") -> Derived:
    """What is derived of one of BENCHMARKS by the tiny model, made once a process."""
    return json.loads(_derived(name, kind, seed, request)[0])


def read_for(name: str, kind: str) -> frozenset[str]:
    """The splits that were read for it."""
    return _derived(name, kind, 0, "raw/forget")[1]


class Recording(Benchmark):
    """A benchmark that records which rows are read: in `read`, as config/split."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark.name, benchmark.splits)
        object.__setattr__(self, "read", set())

    def rows(self, config: str, split: str) -> list[Row]:
        """The rows of a split, which is recorded."""
        self.read.add(f"{config}/{split}")
        return super().rows(config, split)


def _splits(texts: list[str]) -> Splits:
    unrelated = ["the night train came so late that nobody was there any more to see it, but one stray dog."]
    scored = [{"question": "Who?", "answer": "Ada Orme"}]
    return {
        ("raw", "forget"): text_rows(texts[:3]),
        ("raw", "retain1"): text_rows(texts[3:]),
        ("raw", "retain2"): text_rows(texts[3:]),
        ("raw", "holdout"): text_rows(texts[3:]),
        ("raw", "unrelated"): text_rows(unrelated),
        ("knowmem", "forget_qa"): scored,
    }
