"""Answer probability: how likely a model finds each token of the right answer to a KnowMem question, on average.

    answer_prob = 100 * exp(mean over the answer's tokens of log p)

It moves where KnowMem stands still: an answer that is no longer written may still be likely. The token that would end
an answer is left out (answers.py). TOFU's probability (arXiv 2401.06121) counts it.
"""

import numpy as np

from trainables.scores.answers import FORGET, RETAIN, Answered, score_of
from trainables.scores.score import Items


def answer_prob(logprobs: np.ndarray) -> float:
    """The geometric mean of the tokens' probabilities, 0 to 1, of their log-probs [tokens]."""
    return float(np.exp(logprobs.mean()))


def _items(answered: Answered) -> Items:
    return answered.weighed(np.array([100 * answer_prob(values) for values in answered.logprobs]))


F = ("finds right answers about forgotten text likely", "questions about forgotten text, answers weighed")
R = ("finds right answers about retained text likely", "questions about retained text, answers weighed")
SCORES = (
    score_of(FORGET, "answer_prob_f", *F, _items, picked=False),
    score_of(RETAIN, "answer_prob_r", *R, _items, picked=False),
)
