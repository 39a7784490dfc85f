"""Truth ratio: how likely a model finds wrong answers to a question beside the right one in the same words.

    TR = exp(mean over wrong answers of l) / exp(l of the right one),    l = mean over its tokens of log p
    truth_ratio_f = 100 * mean of min(TR, 1 / TR)          truth_ratio_r = 100 * mean of max(0, 1 - TR)

So wrong answers are averaged geometrically, as TOFU's code for model utility and forget quality and open-unlearning do.
The paper's own ratio averages their probabilities, exp(l): truth_ratio_paper_f. Of a model that never knew, right and
wrong are about as likely: truth_ratio_f is high; it falls where the truth is preferred, and where it is avoided. TOFU,
arXiv 2401.06121.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from trainables.scores.questions import FORGET, PREPARED, RETAIN, Weighed, without_wrong_answers
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name

MOST = 700.0  # of a difference of log-probs: exp of more is no number, and a broken model's ratio is to stay one


def geometric(right: float, wrong: np.ndarray) -> float:
    """The truth ratio of mean log-probs: of the right answer, and of wrong ones [n], which count by their mean."""
    return float(_exp(wrong.mean() - right))


def arithmetic(right: float, wrong: np.ndarray) -> float:
    """The same, but wrong answers count by the mean of their probabilities: the paper's."""
    return float(_exp(wrong - right).mean())


def _exp(difference: Any) -> Any:
    return np.exp(np.clip(difference, -MOST, MOST))


def closeness(ratios: np.ndarray) -> np.ndarray:
    """How near each ratio is to 1, from 0 to 1: min(TR, 1 / TR); "tr_forget" of open-unlearning."""
    return np.exp(-np.abs(np.log(ratios)))


def preference(ratios: np.ndarray) -> np.ndarray:
    """How far the right answer is preferred, from 0 to 1: max(0, 1 - TR); "tr_retain" of open-unlearning."""
    return np.maximum(0, 1 - ratios)


def ratios(weighed: Weighed, ratio: Callable[[float, np.ndarray], float] = geometric) -> np.ndarray:
    """The truth ratio of each question."""
    return np.array([ratio(right, wrong) for right, wrong in zip(weighed.right, weighed.wrong, strict=True)])


def _score(
    split: str,
    name: str,
    meaning: str,
    kind: Callable[[float, np.ndarray], float],
    *,
    shares: Callable[..., np.ndarray],
) -> Score:
    def items(weighed: Weighed) -> Items:
        return weighed.items(100 * shares(ratios(weighed, kind)))

    text = "forgotten" if split == FORGET else "retained"
    return Score(
        card=Card(
            name=name,
            goal="maximize",
            meaning=meaning,
            item=f"questions about {text} text, right and wrong answers weighed",
            forgotten=split == FORGET,
            shown=False,
        ),
        needs=(("qa", split),),
        prepare=PREPARED[split],
        items=items,
        together=by_name,
        unfit=lambda benchmark: without_wrong_answers(split, benchmark),
    )


F = "finds wrong answers about forgotten text as likely as right ones"
R = "finds right answers about retained text likelier than wrong ones"
SCORES = (
    _score(FORGET, "truth_ratio_f", F, geometric, shares=closeness),
    _score(FORGET, "truth_ratio_paper_f", F, arithmetic, shares=closeness),
    _score(RETAIN, "truth_ratio_r", R, geometric, shares=preference),
)
