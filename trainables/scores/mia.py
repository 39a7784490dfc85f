"""The other membership attacks, read as PrivLeak is: PPL, zlib, lower, Min-K% of other K. No table shows them.

`lethe train` and the reference models have them; no search measures what no table shows.
"""

from trainables.scores.attacks import ATTACKS, DEFAULT_ATTACK, SPLITS, prepare
from trainables.scores.reductions import RATIO
from trainables.scores.score import Card, Score


def _score_of(attack: str) -> Score:
    return Score(
        card=Card(
            name=f"mia_{attack}",
            goal="zero",
            meaning=f"shows that it was trained on it, by the attack {attack}",
            shown=False,
            searched=False,
            reduction=RATIO,
            samples=SPLITS,
        ),
        needs=tuple(("privleak", split) for split in SPLITS),
        prepare=prepare,
        items=lambda measured: measured(attack),
    )


SCORES = tuple(_score_of(attack) for attack in ATTACKS if attack != DEFAULT_ATTACK)
