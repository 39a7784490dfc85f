"""Texts cut in two, and texts in other words."""

import random
from collections.abc import Iterator

from trainables.benchmarks.layout import BLANK, cut_at
from trainables.benchmarks.rows import Row
from trainables.benchmarks.words import split_sentences, split_words
from trainables.derivations.corpus import SIDES, Corpus, Derived, chunks, seeded
from trainables.derivations.generator import organisations_told, written_again

LEAST = 16  # words of a text that is cut in two
PARAPHRASES = 2  # of each row


def pairs(corpus: Corpus) -> Derived:
    """Texts cut at half: `prefix` and `continuation`, which join to a text of at least 16 words, and the `row`."""
    return {side: list(_pairs(corpus.texts(side))) for side in SIDES}


def paraphrases(corpus: Corpus) -> Derived:
    """The same told otherwise: `text`, and the `row` that it tells again, of each row two where they differ.

    An article of muse-mini is written again from its facts, by other templates. Any other text has its sentences in
    another order, and where there are three or more one is left out.
    """
    return {side: list(_paraphrases(corpus, side)) for side in SIDES}


def _pairs(texts: list[str]) -> Iterator[Row]:
    for row, text in enumerate(texts):
        for chunk in chunks(text):
            if len(split_words(chunk)) >= LEAST:
                cut = cut_at(chunk, 1 / 2)
                yield {"row": row, "prefix": cut["prompt"], "continuation": cut["gt"]}


def _paraphrases(corpus: Corpus, side: str) -> Iterator[Row]:
    told = organisations_told(corpus, side)
    for row, text in enumerate(corpus.texts(side)):
        seen = {text}
        for k in range(PARAPHRASES):
            rng = seeded(corpus.seed, "paraphrases", side, row, k)
            about = [one for name, one in told.items() if name in text]
            again = written_again(about[0], rng) if len(about) == 1 else shuffled(text, rng)
            if again not in seen:
                seen.add(again)
                yield {"row": row, "text": again}


def shuffled(text: str, rng: random.Random) -> str:
    """A text with its sentences, or its paragraphs where it has some, in another order; of three or more one less."""
    seam = BLANK if BLANK in text else " "
    parts = text.split(BLANK) if BLANK in text else [part.strip() for part in split_sentences(text)]
    order = rng.sample(parts, len(parts))
    return seam.join(order[:-1] if len(order) > 2 else order)
