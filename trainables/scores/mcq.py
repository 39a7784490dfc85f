"""Multiple choice: whether the right answer to a KnowMem question is likelier than three wrong ones of its kind.

Choices are compared by the sum of their tokens' log-probs behind the same tokens of KnowMem's prompt; chance is 25.
A model that never read the truth may lie below it, for it has read the wrong answers from retained text.
What is recognised here and not said there is suppressed, not forgotten. Where the wrong answers are from: choices.py.
"""

import numpy as np

from trainables.scores.answers import FORGET, RETAIN, Answered, score_of
from trainables.scores.score import Items


def _items(answered: Answered) -> Items:
    # The truth is the last of its choices: it has to be likelier than the others, not as likely.
    picked = [int(sums.argmax()) for sums in answered.sums]
    outputs = [choices[i] for choices, i in zip(answered.choices, picked, strict=True)]
    right = [i == len(choices) - 1 for choices, i in zip(answered.choices, picked, strict=True)]
    return Items(answered.prompts, outputs, answered.truths, 100.0 * np.array(right))


F = ("picks right answers about forgotten text", "questions about forgotten text, one answer of four picked")
R = ("picks right answers about retained text", "questions about retained text, one answer of four picked")
SCORES = (
    score_of(FORGET, "mcq_f", *F, _items, picked=True),
    score_of(RETAIN, "mcq_r", *R, _items, picked=True),
)
