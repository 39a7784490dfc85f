"""Answer probability: how likely a model finds each token of the right answer to a KnowMem question, on average.

    answer_prob = 100 * exp(mean over the answer's tokens of log p)

It moves where KnowMem stands still: an answer that is no longer written may still be likely. The token that would end
an answer is left out (answers.py). TOFU's probability (arXiv 2401.06121) counts it.
"""

import numpy as np

from trainables.scores.answers import FORGET, RETAIN, Answered
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name


def answer_prob(logprobs: np.ndarray) -> float:
    """The geometric mean of the tokens' probabilities, 0 to 1, of their log-probs [tokens]."""
    return float(np.exp(logprobs.mean()))


def _items(answered: Answered) -> Items:
    return answered.weighed(np.array([100 * answer_prob(values) for values in answered.logprobs]))


SCORES = (
    Score(
        card=Card(
            name="answer_prob_f",
            goal="minimize",
            meaning="finds right answers about forgotten text likely",
            item="questions about forgotten text, answers weighed",
            forgotten=True,
            shown=False,
        ),
        needs=(("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")),
        prepare=FORGET,
        items=_items,
        together=by_name,
        lacking="questions (config knowmem)",
    ),
    Score(
        card=Card(
            name="answer_prob_r",
            goal="maximize",
            meaning="finds right answers about retained text likely",
            item="questions about retained text, answers weighed",
            shown=False,
        ),
        needs=(("knowmem", "retain_qa"), ("knowmem", "retain_qa_icl")),
        prepare=RETAIN,
        items=_items,
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
