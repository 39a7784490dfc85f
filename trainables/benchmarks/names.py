"""The names of whom or what texts are about: runs of capitalised words, by how often they stand there. No model."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

LONGEST = 6  # words of a name: a longer run is a headline
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def names_of(texts: Sequence[str], others: Sequence[str], most: int) -> list[str]:
    """The most frequent names of `texts` that `others` lack, `most` of them at most; of two, the one that comes first.

    A name is a run of up to LONGEST capitalised words with a space between each two. A word that also stands in small
    letters somewhere, as that which begins a sentence mostly does, is no part of one. Scripts without capitals have no
    names.
    """
    small = small_words((*texts, *others))
    known = {part for text in others for run in _runs(text, small) for part in _parts(run)}
    runs = (run for text in texts for run in _runs(text, small))
    found = Counter(run for run in runs if len(run) <= LONGEST and run not in known)
    return [" ".join(name) for name, _ in found.most_common(most)]


def small_words(texts: Iterable[str]) -> set[str]:
    """The words that stand in small letters somewhere."""
    return {word for text in texts for word in WORD.findall(text) if word.islower()}


def spans_of(text: str, small: set[str]) -> Iterator[tuple[int, int]]:
    """Where every run of capitalised words of a text that never stand in small letters begins, and ends."""
    begin = end = -1
    for match in WORD.finditer(text):
        named = match[0][0].isupper() and match[0].lower() not in small
        if begin >= 0 and not (named and text[end : match.start()] == " "):
            yield begin, end
            begin = -1
        if named:
            begin, end = match.start() if begin < 0 else begin, match.end()
    if begin >= 0:
        yield begin, end


def _runs(text: str, small: set[str]) -> Iterator[tuple[str, ...]]:
    """The words of every such run."""
    return (tuple(text[begin:end].split(" ")) for begin, end in spans_of(text, small))


def _parts(run: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Every run within a run that may be a name, itself included."""
    return (run[i:j] for i in range(len(run)) for j in range(i + 1, min(i + LONGEST, len(run)) + 1))
