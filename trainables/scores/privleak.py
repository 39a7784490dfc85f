"""PrivLeak: can a membership attack still tell forgotten texts from texts never seen?

    PrivLeak = (AUC - AUC_retrained) / AUC_retrained * 100

A model that remembers has AUC near 0 and PrivLeak near -100. The attack is Min-40% (attacks.py); MUSE, criterion C3.
"""

from trainables.scores.attacks import DEFAULT_ATTACK, SPLITS, prepare
from trainables.scores.reductions import RATIO
from trainables.scores.score import Card, Score

SCORES = (
    Score(
        card=Card(
            name="privleak",
            goal="zero",
            meaning="shows that it was trained on it",
            good=5.0,  # MUSE's band: from -5 to 5
            reduction=RATIO,
            samples=SPLITS,
        ),
        needs=tuple(("privleak", split) for split in SPLITS),
        prepare=prepare,
        items=lambda measured: measured(DEFAULT_ATTACK),
    ),
)
