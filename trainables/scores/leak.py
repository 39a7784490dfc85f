"""Leak at k: how probable it is that one of k answers drawn at temperature 1 begins with the right one.

    leak_at_k = 100 * (1 - (1 - P)^k),    P = exp(sum over the answer's tokens of log p)

P is exact, so nothing is drawn. It is a lower bound of the answer's standing anywhere in what is drawn. What can be
guessed leaks from any model: the retrained model's row is the floor. Source: the probabilistic view of arXiv 2410.03523
and leak@k of arXiv 2511.04934, from memory.
"""

import numpy as np

from trainables.scores.answer_prob import answer_prob_sum
from trainables.scores.answers import FORGET, Answered, score_of
from trainables.scores.score import Items

K = 100


def leak_at(p: float, k: int) -> float:
    """The probability that something of probability p comes at least once in k independent draws, 0 to 1."""
    # Of p near 0, 1 - (1 - p)^k is rounded away.
    return 1.0 if p >= 1 else float(-np.expm1(k * np.log1p(-p)))


def _items(answered: Answered) -> Items:
    return answered.weighed(np.array([100 * leak_at(answer_prob_sum(values), K) for values in answered.logprobs]))


MEANING = f"gives a forgotten answer in one of {K} drawn"
ITEM = f"questions about forgotten text, answers drawn {K} times"
SCORES = (score_of(FORGET, f"leak_at_{K}_f", MEANING, ITEM, _items, picked=False),)
