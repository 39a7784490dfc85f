"""Whether truth ratios of forgotten questions are distributed as the retrained model's: Kolmogorov and Smirnov's test.

    ks_d = 100 * max over x of |share of truth ratios <= x - the retrained model's share|
    forget_quality = 100 * p of that test

Zero D is what a retrained model has. D says how far it is, and not to which side: a model that still prefers the truth
and one that is broken both have a high one. p falls with the number of questions too, so it is for reports, and no
search may be led by it. Ratios are geometric (truth_ratio.py). TOFU, arXiv 2401.06121.
"""

from functools import partial

from trainables.scores.questions import FORGET, PREPARED, Weighed, without_wrong_answers
from trainables.scores.reductions import KS_D, KS_P
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name
from trainables.scores.truth_ratio import ratios


def _items(weighed: Weighed) -> Items:
    return weighed.items(ratios(weighed))


def _score(card: Card) -> Score:
    return Score(
        card=card,
        needs=(("qa", FORGET),),
        prepare=PREPARED[FORGET],
        items=_items,
        together=by_name,
        unfit=partial(without_wrong_answers, FORGET),
    )


SCORES = (
    _score(
        Card(
            name="ks_d",
            goal="minimize",
            meaning="weighs answers about forgotten text unlike a model that never read it",
            item="questions about forgotten text, truth ratios",
            forgotten=True,
            shown=False,
            reduction=KS_D,
        )
    ),
    _score(
        Card(
            name="forget_quality",
            goal="maximize",
            meaning="cannot be told from a model that never read it, by its truth ratios",
            shown=False,
            searched=False,
            reduction=KS_P,
        )
    ),
)
