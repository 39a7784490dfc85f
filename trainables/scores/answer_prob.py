"""Answer probability: how likely a model finds each token of the right answer to a KnowMem question, on average.

    answer_prob     = 100 * exp(mean over the answer's tokens of log p)
    answer_prob_sum = 100 * exp(sum over the answer's tokens of log p)

The second is the probability of the whole answer, which a leak is reckoned from (leak.py): long answers have next to
none. A search measures it on request, for it orders the models' answers as the leak does.

Both move where KnowMem stands still: an answer that is no longer written may still be likely. The token that would end
an answer is left out (answers.py). TOFU's probability (arXiv 2401.06121) counts it.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from trainables.scores.answers import FORGET, RETAIN, Answered, score_of
from trainables.scores.score import Items


def answer_prob(logprobs: np.ndarray) -> float:
    """The geometric mean of the tokens' probabilities, 0 to 1, of their log-probs [tokens]."""
    return float(np.exp(logprobs.mean()))


def answer_prob_sum(logprobs: np.ndarray) -> float:
    """The probability of the whole answer, 0 to 1, of its tokens' log-probs [tokens]."""
    return float(np.exp(logprobs.sum()))


def _items(probability: Callable[[np.ndarray], float], answered: Answered) -> Items:
    return answered.weighed(np.array([100 * probability(values) for values in answered.logprobs]))


F = ("finds right answers about forgotten text likely", "questions about forgotten text, answers weighed")
R = ("finds right answers about retained text likely", "questions about retained text, answers weighed")
WHOLE = ("finds whole right answers about forgotten text likely", F[1])
SCORES = (
    score_of(FORGET, "answer_prob_f", *F, partial(_items, answer_prob), picked=False),
    score_of(RETAIN, "answer_prob_r", *R, partial(_items, answer_prob), picked=False),
    score_of(FORGET, "answer_prob_sum_f", *WHOLE, partial(_items, answer_prob_sum), picked=False, on_request=True),
)
