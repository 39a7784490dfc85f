"""Gaps: how far above the retrained model's a likelihood of forgotten text lies, item by item; 0 is best.

    gap = mean of (item - the retrained model's item)

Below 0 a model has lost more than the texts, so a gap is searched from both sides: `answer_prob_f:retrained` asks for
`answer_prob_f_gap`. It is made of the items of its score, so it costs no pass and has no rows of its own. A search
measures it on request: its tables have no use for twice as many likelihoods.
"""

from dataclasses import replace

from trainables.scores.answer_prob import SCORES as ANSWER_PROB
from trainables.scores.leak import SCORES as LEAK
from trainables.scores.mcq import SCORES as MCQ
from trainables.scores.memorization import SCORES as MEMORIZATION
from trainables.scores.reductions import DIFFERENCE
from trainables.scores.score import GAP, Score


def gap(score: Score) -> Score:
    """The gap of a score whose items lie from 0 to 100, by the items that a benchmark gives the score."""
    card = replace(
        score.card,
        name=f"{score.name}{GAP}",
        goal="zero",
        meaning=f"{score.card.meaning}, beyond the retrained model",
        item="",
        shown=False,
        reduction=DIFFERENCE,
        on_request=True,
        items_of=score.name,
    )
    return replace(score, card=card, rather=score.rather and gap(score.rather))


LIKELIHOODS = (*ANSWER_PROB, *LEAK, *MCQ, *MEMORIZATION)
SCORES = tuple(gap(score) for score in LIKELIHOODS if score.card.forgotten)
