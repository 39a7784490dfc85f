"""Which words tell one text from others, by tf-idf: the keywords of each, and which retained texts are nearest to it.

A word of a text counts tf x idf: how often it stands there, times ln((1 + N) / (1 + n)) where n of N other texts have
it. Words are compared without case, in any script (benchmarks/words.py).
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array

from trainables.benchmarks.rows import Row
from trainables.benchmarks.words import split_words, unicode_words
from trainables.derivations.corpus import FORGET, RETAIN, Corpus, Derived

SHARE = 0.2  # of the different words of a text that are its keywords
NEAREST = 5  # neighbours of a text
RUN = re.compile(r"\S+")
EDGE = re.compile(r"^\W+|\W+$")


def keywords(corpus: Corpus) -> Derived:
    """The most telling fifth of the words of each forget row: `row`, `word`, `weight` and `spans`, the heaviest first.

    Weights are tf-idf against retain1 and unrelated text, the heaviest of a row is 1. `spans` are where the word stands
    in the row's text, from and to which character.
    """
    known = document_counts(corpus.kept())
    size = len(corpus.kept())
    return {FORGET: [row for i, text in enumerate(corpus.texts(FORGET)) for row in _keywords(i, text, known, size)]}


def neighbours(corpus: Corpus) -> Derived:
    """The retain1 rows nearest to each forget row: `row`, `neighbours`, five at most, and their `cosines`, of tf-idf.

    Of two that are as near, the first comes first.
    """
    forget, kept = corpus.texts(FORGET), corpus.texts(RETAIN)
    near = cosines(forget, kept).round(9)  # so that the last bits of a sum decide nothing
    found = []
    for row, values in enumerate(near):
        order = np.argsort(-values, kind="stable")[:NEAREST].tolist()
        found.append({"row": row, "neighbours": order, "cosines": [float(values[i]) for i in order]})
    return {FORGET: found}


def document_counts(texts: Sequence[str]) -> Counter[str]:
    """In how many texts each word stands."""
    return Counter(word for text in texts for word in {word for word, _, _ in _words(text)})


def idf(word: str, known: Counter[str], size: int) -> float:
    """ln((1 + N) / (1 + n)) of a word that n of N texts have."""
    return math.log((1 + size) / (1 + known[word]))


def cosines(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """The cosine of tf-idf of each text and each other one [N, M], fp64; 0 where one has no word of its own."""
    known, size = document_counts([*texts, *others]), len(texts) + len(others)
    places = {word: place for place, word in enumerate(sorted(known))}
    return np.asarray((_vectors(texts, known, size, places) @ _vectors(others, known, size, places).T).todense())


def _vectors(texts: Sequence[str], known: Counter[str], size: int, places: dict[str, int]) -> csr_array:
    """Texts as rows of length 1, or 0."""
    rows, columns, values = [], [], []
    for row, text in enumerate(texts):
        counts = Counter(word for word, _, _ in _words(text))
        weights = {word: times * idf(word, known, size) for word, times in sorted(counts.items())}
        length = math.sqrt(math.fsum(weight**2 for weight in weights.values())) or 1.0
        rows += [row] * len(weights)
        columns += [places[word] for word in weights]
        values += [weight / length for weight in weights.values()]
    return csr_array((values, (rows, columns)), shape=(len(texts), len(places)))


def _keywords(row: int, text: str, known: Counter[str], size: int) -> Iterator[Row]:
    spans: dict[str, list[list[int]]] = {}
    for word, begin, end in _words(text):
        spans.setdefault(word, []).append([begin, end])
    weights = {word: len(found) * idf(word, known, size) for word, found in spans.items()}
    most = max(weights.values(), default=0.0)
    if not most:
        return
    chosen = sorted(weights, key=lambda word: (-weights[word], spans[word][0]))[: math.ceil(SHARE * len(weights))]
    for word in chosen:
        yield {"row": row, "word": word, "weight": weights[word] / most, "spans": spans[word]}


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text as they are compared, with where each stands, without the marks around it."""
    for run in RUN.finditer(text):
        place = run.start()
        for piece in split_words(run[0]):
            bare = EDGE.sub("", piece)
            if word := " ".join(unicode_words(bare)):
                begin = place + piece.index(bare)
                yield word, begin, begin + len(bare)
            place += len(piece)
