"""Preferences between answers: the specification's numbers, and what swapping winner and loser changes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.losses.preference import answer_preservation, dpo

D = math.log(1 / 8) - math.log(0.32)  # the log-ratio of the specification's fixture F, -0.940007


def loss(*ratios: float, beta: float = 0.1) -> float:
    return dpo(torch.tensor([ratios], dtype=torch.float64), beta=beta).item()


def test_dpo_and_altpo_are_the_specification_s_numbers():
    assert loss(1.0, D) == pytest.approx(12.016880, abs=1e-6)
    assert loss(1.0, 3.0, D) == pytest.approx(11.138254, abs=1e-6)


def test_answer_preservation_is_the_specification_s_number_and_at_equal_answers_ln_2_over_beta():
    answer, refusal = torch.tensor([-2.0, -5.0]), torch.tensor([-8.0, -5.0])
    first, equal = answer_preservation(answer, refusal, beta=0.1).tolist()
    assert first == pytest.approx(4.374880, abs=1e-5)
    assert equal == pytest.approx(10 * math.log(2), abs=1e-5)


def test_swapping_the_answers_of_fixture_f_changes_the_loss_by_twice_the_margin():
    assert loss(1.0, D) - loss(D, 1.0) == pytest.approx(-3.880014, abs=1e-6)


@settings(max_examples=50)
@given(won=st.floats(-20, 20), lost=st.floats(-20, 20), beta=st.floats(0.01, 2))
def test_swapping_any_two_answers_changes_the_loss_by_exactly_twice_the_margin(won, lost, beta):
    assert loss(won, lost, beta=beta) - loss(lost, won, beta=beta) == pytest.approx(-2 * (won - lost), abs=1e-6)


def test_for_a_small_beta_the_loss_is_two_ln_2_over_beta_less_the_margin():
    assert loss(1.0, D, beta=1e-4) == pytest.approx(2e4 * math.log(2) - (1 - D), abs=1e-3)


def test_at_the_start_the_margin_s_gradient_is_1_and_an_alternative_that_is_the_true_answer_has_none():
    ratios = torch.zeros(1, 2, requires_grad=True)
    dpo(ratios, beta=0.3).sum().backward()
    assert ratios.grad.tolist() == [[-1.0, 1.0]]
    same = torch.tensor([0.7], requires_grad=True)
    value = dpo(same.expand(1, 2), beta=0.3).sum()
    value.backward()
    assert value.item() == pytest.approx(2 / 0.3 * math.log(2))
    assert same.grad.item() == 0.0
