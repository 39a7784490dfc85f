"""Whether a model still writes language to forgotten prompts: how much it repeats, whether its words are words.

All read what VerbMem has it write, so they cost no generation of their own. A model that loops recites nothing, nor
does one that writes salad, pieces of words put together anyhow, and VerbMem alone takes that for forgetting.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence

import numpy as np

from trainables.benchmarks.words import unicode_words
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_text
from trainables.scores.verbmem import Written, prepare

RUN = 4  # tokens that are compared at once
MOST_BITS = 7.0  # of 128 different runs of words, more than which no 128 tokens hold: log2(128)
PROMPTS = (("verbmem", "forget"),)


def repetition(tokens: Sequence[Hashable]) -> float:
    """1 - distinct runs of four / all of them, in [0, 1]; 0 of fewer than four tokens, for nothing comes twice there.

    So an empty output is 0: to write nothing is no loop, and what it forgets other scores tell.
    """
    runs = _runs(tokens, RUN)
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def fluency(words: Sequence[Hashable]) -> float:
    """(2/3 H_2 + 4/3 H_3) / 2, H_n being the entropy of the runs of n words, in bits; 0 of fewer than three words.

    Source: RWKU (arXiv 2406.10890), which states it x100. It grows with a text's length.
    """
    return (2 / 3 * _entropy(_runs(words, 2)) + 4 / 3 * _entropy(_runs(words, 3))) / 2


def nonwords(words: Sequence[str], known: Collection[str]) -> float:
    """The share of words that are not `known`, in [0, 1]; 0 of none.

    A number is known, and where a text was cut a piece of a word is too: the end of one comes first, or its beginning
    last. Words that are known, in whatever order, are language here: only what is made of pieces is not.
    """
    fine = [word in known or word.isnumeric() for word in words]
    if words and not fine[0]:
        fine[0] = any(word.endswith(words[0]) for word in known)
    if words and not fine[-1]:
        fine[-1] = any(word.startswith(words[-1]) for word in known)
    return 1 - sum(fine) / len(fine) if fine else 0.0


def _runs(tokens: Sequence[Hashable], n: int) -> list[tuple[Hashable, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def _entropy(runs: Sequence[Hashable]) -> float:
    shares = [count / len(runs) for count in Counter(runs).values()]
    return sum(share * math.log2(1 / share) for share in shares)


def _repetitions(written: Written) -> list[float]:
    # Of tokens, not of words: a loop without a space is one word, and some scripts have no spaces.
    return [100 * repetition(tokens) for tokens in written.tokens]


def _nonwords(written: Written) -> list[float]:
    return [100 * nonwords(unicode_words(output), written.words()) for output in written.outputs]


def _fluencies(written: Written) -> list[float]:
    return [min(100.0, 100 * fluency(unicode_words(output)) / MOST_BITS) for output in written.outputs]


def _score_of(card: Card, of: Callable[[Written], list[float]]) -> Score:
    def items(written: Written) -> Items:
        return Items(written.prompts, written.outputs, written.truths, np.array(of(written)))

    return Score(card=card, needs=PROMPTS, prepare=prepare, items=items, together=by_text)


SCORES = (
    _score_of(
        Card(
            name="repetition_f",
            goal="minimize",
            meaning="repeats itself where it is asked to continue forgotten text",
            item="forgotten text, continued: what repeats itself",
            shown=False,
        ),
        _repetitions,
    ),
    _score_of(
        Card(
            name="nonwords_f",
            goal="minimize",
            meaning="writes words that stand in no text where it is asked to continue forgotten text",
            item="forgotten text, continued: which words stand in no text",
            shown=False,
        ),
        _nonwords,
    ),
    _score_of(
        Card(
            name="fluency_f",
            goal="maximize",
            meaning="writes varied words where it is asked to continue forgotten text",
            shown=False,
        ),
        _fluencies,
    ),
)
