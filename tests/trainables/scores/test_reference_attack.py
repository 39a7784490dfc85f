"""The reference attack: how likely a text is beside the retrained model, by which what is hard for both cancels out."""

import numpy as np
import pytest

from trainables.scores import all_scores
from trainables.scores.reductions import RATIO, RATIO_BESIDE, reduce

LOSSES = {"forget": np.array([5.0, 6.0]), "holdout": np.array([3.0, 2.0])}
RETRAINED = {"forget": np.array([7.0, 7.0]), "holdout": np.array([2.0, 3.0])}


def test_the_hand_number_has_the_other_sign_than_the_attack_by_loss():
    # Less the retrained model's: -2 and -1 against 1 and -1, of whose pairs one ties: an AUC of 1/8.
    found = reduce(RATIO_BESIDE, LOSSES, RETRAINED)
    assert (found.value, found.n) == (pytest.approx(-75), 4)
    assert found.low <= found.value <= found.high
    assert reduce(RATIO, LOSSES, {name: np.ones(2) for name in LOSSES}).value == 100


def test_what_makes_texts_hard_for_any_model_changes_nothing():
    hard = {"forget": np.array([40.0, 0.0]), "holdout": np.array([0.0, 9.0])}
    moved = [{name: values + hard[name] for name, values in own.items()} for own in (LOSSES, RETRAINED)]
    assert reduce(RATIO_BESIDE, *moved) == reduce(RATIO_BESIDE, LOSSES, RETRAINED)


def test_the_retrained_model_is_at_0_without_width():
    found = reduce(RATIO_BESIDE, RETRAINED, RETRAINED)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_without_its_items_or_with_others_it_is_refused():
    with pytest.raises(ValueError, match="needs the items of a retrained model"):
        reduce(RATIO_BESIDE, LOSSES, None)
    with pytest.raises(ValueError, match="differ in forget items: 2 and 1"):
        reduce(RATIO_BESIDE, LOSSES, RETRAINED | {"forget": np.ones(1)})


def test_it_stands_beside_the_attack_by_loss_and_reads_the_same_items():
    loss, reference = (all_scores()[f"mia_{name}"] for name in ("ppl", "reference"))
    assert reference.prepare is loss.prepare
    assert [score.items(lambda attack: attack) for score in (loss, reference)] == ["ppl", "ppl"]
    assert reference.relative
    assert not reference.card.searched
