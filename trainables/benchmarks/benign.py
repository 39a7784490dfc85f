"""An attack on the request: harmless words in forget text, which unlearning then takes for what is to be forgotten.

Who asks for something to be forgotten writes the request. Words that what is to be kept is full of, and the forget text
hardly has, are put at the start of some of its sentences: what is unlearned with them falls where they stand in a
question on something else. Ren et al. 2025, arXiv 2506.00359, as far as its abstract goes; the rest is ours.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import split_sentences, unicode_words
from trainables.failures import Unfit

WORDS = 3
SHARE = 0.3  # of the sentences that get one
COMMON = 0.05  # share of the kept texts that have a word which is common there
SHORTEST = 4  # letters


def benign_words(benchmark: Benchmark, count: int = WORDS) -> list[str]:
    """The words that stand in retain1 most times as often as in the forget set, of those that are common there.

    In lower case there too, which names are not. Unfit where there are not so many.
    """
    forget, kept = (benchmark.texts("raw", split) for split in ("forget", "retain1"))
    there = Counter(word for text in kept for word in set(_words(text)))
    counts, known = (Counter(word for text in texts for word in _words(text)) for texts in (kept, forget))
    common = [word for word in counts if there[word] >= COMMON * len(kept) and len(word) >= SHORTEST and word.isalpha()]
    chosen = sorted(common, key=lambda word: (-counts[word] / (known[word] + 1), word))[:count]
    if len(chosen) < count:
        raise Unfit(
            f"benchmark {benchmark.name!r}: {len(chosen)} words are common in its retain texts: {count} are needed"
        )
    return chosen


def _words(text: str) -> list[str]:
    """The words of a text that are written in lower case."""
    return unicode_words(" ".join(part for part in text.split() if part == part.lower()))


def attacked(text: str, words: Sequence[str]) -> str:
    """A text with one of some words at the start of a share of its sentences; the same for the same text."""
    draw = Random(text)
    return "".join(_begun(s, draw.choice(words)) if draw.random() < SHARE else s for s in split_sentences(text))


def _begun(sentence: str, word: str) -> str:
    """A sentence with a word before it, behind the space that it begins with."""
    bare = sentence.lstrip()
    return f"{sentence[: len(sentence) - len(bare)]}{word} {bare}"
