"""MUSE's raw-logit baselines: what they begin with, what they share, and that neither does what it is called after."""

import math

import pytest
from tiny import tiny_model

from trainables.method import Step
from trainables.methods import needs_of, unlearn
from trainables.methods.ga import GA
from trainables.methods.muse import KLRMuse, NPOMuse

FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3]], [[0, 8, 6], [0, 11, 12, 13]]
SMALL = {"steps": 2, "eval_every": 2, "batch_size": 4}


def values_of(settings, forget=FORGET) -> list[dict]:
    records = unlearn(tiny_model(), forget, RETAIN, settings, pad=2)
    return [dict(record.values) for record in records if isinstance(record, Step)]


@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_at_the_start_npo_muse_is_two_over_beta_times_ln_2(beta):
    assert values_of(NPOMuse(**SMALL, npo_beta=beta))[0]["forget_loss"] == pytest.approx(2 / beta * math.log(2))


def test_npo_muse_never_looks_at_the_label():
    """Other tokens at the end of each text, which are targets alone: no step sees the difference."""
    settings = NPOMuse(**SMALL, retain_term="none")
    assert values_of(settings, [[0, 5, 9, 7, 44], [0, 5, 9, 7, 45]]) == values_of(settings, [[0, 5, 9, 7, 46]] * 2)


def test_klr_muse_is_nothing_at_the_start_but_pulls_there_already():
    plain, pulled = values_of(GA(**SMALL))[0], values_of(KLRMuse(**SMALL))[0]
    assert pulled["retain_loss"] == 0
    assert pulled["forget_loss"] == plain["forget_loss"]
    assert pulled["gradient_norm"] > 2 * plain["gradient_norm"]


def test_klr_muse_falls_below_nothing_which_no_divergence_does():
    settings = KLRMuse(steps=5, eval_every=5, batch_size=4, forget_weight=0.0)
    assert values_of(settings)[-1]["retain_loss"] < -0.01


def test_both_need_the_target_and_npo_muse_without_a_retain_term_too():
    for settings in (KLRMuse(), NPOMuse(), NPOMuse(retain_term="none"), NPOMuse(retain_term="klr_muse")):
        needs = needs_of(settings)
        assert needs.frozen
        assert needs.guided


def test_with_klr_muse_on_retain_text_npo_muse_passes_the_target_over_both_texts():
    def cost(term: str) -> float:
        records = unlearn(tiny_model(), FORGET, RETAIN, NPOMuse(**SMALL, retain_term=term), pad=2)
        return next(record.cost for record in records if isinstance(record, Step))

    assert {term: cost(term) for term in ("none", "gdr", "klr_muse")} == {"none": 16, "gdr": 28, "klr_muse": 32}
