"""The other membership attacks, read as PrivLeak is: PPL, zlib, lower, Min-K%, reference. No table shows them.

The reference attack is by how much less likely a text is than the retrained model finds it, `ppl` less its `ppl`: what
makes a text hard for any model cancels out. To the retrained model itself all texts are alike. Source: spec probes.md,
section 2.

`lethe train` and the reference models have them; no search measures what no table shows.
"""

from trainables.scores.attacks import ATTACKS, DEFAULT_ATTACK, SPLITS, prepare
from trainables.scores.reductions import RATIO, RATIO_BESIDE
from trainables.scores.score import Card, Score

REFERENCE = "reference"


def _score_of(attack: str, values: str, reduction: str = RATIO) -> Score:
    """The score of an attack, by the items of the attack that gives its values."""
    return Score(
        card=Card(
            name=f"mia_{attack}",
            goal="zero",
            meaning=f"shows that it was trained on it, by the attack {attack}",
            shown=False,
            searched=False,
            reduction=reduction,
            samples=SPLITS,
        ),
        needs=tuple(("privleak", split) for split in SPLITS),
        prepare=prepare,
        items=lambda measured: measured(values),
    )


SCORES = (
    *(_score_of(attack, attack) for attack in ATTACKS if attack != DEFAULT_ATTACK),
    _score_of(REFERENCE, "ppl", RATIO_BESIDE),
)
