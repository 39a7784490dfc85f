"""Multiple choice: whether the right answer to a KnowMem question is likelier than three wrong ones of its kind.

Choices are compared by the sum of their tokens' log-probs behind the same tokens of KnowMem's prompt; chance is 25.
A model that never read the truth may lie below it, for it has read the wrong answers from retained text.
What is recognised here and not said there is suppressed, not forgotten. Where the wrong answers are from: choices.py.
"""

from functools import partial

import numpy as np

from trainables.scores.answers import FORGET, RETAIN, Answered, too_few_answers
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name


def _items(answered: Answered) -> Items:
    # The truth is the last of its choices: it has to be likelier than the others, not as likely.
    picked = [int(sums.argmax()) for sums in answered.sums]
    outputs = [choices[i] for choices, i in zip(answered.choices, picked, strict=True)]
    right = [i == len(choices) - 1 for choices, i in zip(answered.choices, picked, strict=True)]
    return Items(answered.prompts, outputs, answered.truths, 100.0 * np.array(right))


SCORES = (
    Score(
        card=Card(
            name="mcq_f",
            goal="minimize",
            meaning="picks right answers about forgotten text",
            item="questions about forgotten text, one answer of four picked",
            forgotten=True,
            shown=False,
        ),
        needs=(("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl"), ("knowmem", "retain_qa")),
        prepare=FORGET,
        items=_items,
        together=by_name,
        lacking="questions (config knowmem)",
        unfit=partial(too_few_answers, "forget_qa"),
    ),
    Score(
        card=Card(
            name="mcq_r",
            goal="maximize",
            meaning="picks right answers about retained text",
            item="questions about retained text, one answer of four picked",
            shown=False,
        ),
        needs=(("knowmem", "retain_qa"), ("knowmem", "retain_qa_icl"), ("knowmem", "forget_qa")),
        prepare=RETAIN,
        items=_items,
        together=by_name,
        lacking="questions (config knowmem)",
        unfit=partial(too_few_answers, "retain_qa"),
    ),
)
