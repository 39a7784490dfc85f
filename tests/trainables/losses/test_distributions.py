"""UNDIAL and CE-U: the specification's numbers, their gradients on the logits, and positions without a target."""

import math

import pytest
import torch
from torch.testing import assert_close

from trainables.losses.distributions import ceu, undial
from trainables.losses.logits import mismatch, simnpo, token_log_probs

# The specification's fixture F: two positions, four words; student, targets and reference.
STUDENT = torch.tensor([[[1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4, 1 / 4, 1 / 4, 1 / 4]]]).log()
REFERENCE = torch.tensor([[[0.8, 0.1, 0.05, 0.05], [0.4, 0.4, 0.1, 0.1]]]).log()
TARGETS = torch.tensor([[0, 1]])
PADDED = torch.tensor([[0, -100]])


def gradient(loss, logits) -> torch.Tensor:
    logits = logits.clone().requires_grad_()
    loss(logits).sum().backward()
    return logits.grad


def test_undial_is_the_specification_s_number_at_both_positions():
    value = undial(STUDENT, REFERENCE, TARGETS, strength=math.log(8))
    assert_close(value, torch.full((1, 2), 1.386294), atol=1e-6, rtol=0)


def test_undial_ends_at_the_reference_with_the_target_lowered():
    ends = torch.tensor([[[1 / 3, 1 / 3, 1 / 6, 1 / 6], [8 / 13, 1 / 13, 2 / 13, 2 / 13]]])
    left = gradient(lambda z: undial(z, REFERENCE, TARGETS, strength=math.log(8)), ends.log())
    assert_close(left, torch.zeros(1, 2, 4), atol=1e-6, rtol=0)


@pytest.mark.parametrize("strength", [0.0, 1.0, 10.0])
def test_at_the_start_undial_s_gradient_is_the_reference_minus_what_it_is_to_become(strength):
    lowered = REFERENCE.clone()
    lowered[0, 0, 0] -= strength
    lowered[0, 1, 1] -= strength
    found = gradient(lambda z: undial(z, REFERENCE, TARGETS, strength=strength), REFERENCE)
    assert_close(found, REFERENCE.softmax(-1) - lowered.softmax(-1), atol=1e-6, rtol=1e-5)


def test_undial_s_reference_takes_no_gradient():
    reference = REFERENCE.clone().requires_grad_()
    assert not undial(STUDENT, reference, TARGETS).requires_grad


def test_undial_lowers_no_word_of_a_position_without_a_target():
    padded, whole = (gradient(lambda z, t=t: undial(z, REFERENCE, t), STUDENT) for t in (PADDED, TARGETS))
    assert torch.equal(padded[:, 1], torch.zeros(1, 4))  # public code lowers word V - 100 there
    assert torch.equal(padded[:, 0], whole[:, 0])


def test_ceu_is_the_specification_s_numbers():
    value = ceu(STUDENT, TARGETS)
    assert_close(value, torch.tensor([[1.732868, 1.386294]]), atol=1e-6, rtol=0)
    assert value.mean().item() == pytest.approx(1.559581, abs=1e-6)


def test_ceu_s_gradient_is_p_at_the_target_and_takes_it_from_the_others_by_what_they_have():
    found = gradient(lambda z: ceu(z, TARGETS), STUDENT)
    assert_close(found[0, 0], torch.tensor([1 / 2, -1 / 4, -1 / 8, -1 / 8]))
    assert_close(found[0, 1], torch.tensor([-1 / 12, 1 / 4, -1 / 12, -1 / 12]))
    assert_close(found.sum(-1), torch.zeros(1, 2), atol=1e-6, rtol=0)


def test_ceu_of_a_target_that_is_all_in_fp32_is_finite_and_still_pulls():
    logits = torch.tensor([[[200.0, 0.0, 0.0]]])
    assert logits.softmax(-1)[0, 0, 0] == 1
    assert_close(ceu(logits, torch.tensor([[0]])), torch.tensor([[200.0]]))
    assert_close(gradient(lambda z: ceu(z, torch.tensor([[0]])), logits), torch.tensor([[[1.0, -0.5, -0.5]]]))


def test_ceu_no_longer_pulls_at_what_is_forgotten():
    logits = torch.tensor([[[-200.0, 1.0, 0.0]]])
    assert_close(gradient(lambda z: ceu(z, torch.tensor([[0]])), logits), torch.zeros(1, 1, 3), atol=1e-6, rtol=0)


def test_a_position_without_a_target_gives_nothing_to_ceu():
    assert ceu(STUDENT, PADDED)[0, 1] == 0
    assert_close(gradient(lambda z: ceu(z, PADDED), STUDENT)[0, 1], torch.zeros(4))


def test_simnpo_and_the_distance_to_the_uniform_distribution_are_the_specification_s_numbers():
    log_p, ones = token_log_probs(STUDENT, TARGETS).requires_grad_(), torch.ones(1, 2)
    value = simnpo(log_p, ones, beta=2.5, gamma=0.0)
    assert value.item() == pytest.approx(0.057354, abs=1e-6)
    value.sum().backward()
    assert log_p.grad.sum().item() == pytest.approx(0.138367, abs=1e-6)
    twice = simnpo(torch.cat([log_p, log_p], -1), torch.ones(1, 4), beta=2.5)
    assert_close(twice, value)  # as long again, and no other loss
    assert_close(mismatch(STUDENT), torch.tensor([[0.173287, 0.0]]), atol=1e-6, rtol=0)
