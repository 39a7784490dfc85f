"""MUSE's losses on raw logits are its public code's, and show by their gradients what is wrong with them."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from trainables.losses.logits import kl
from trainables.losses.raw_logits import klr_muse, npo_muse

STUDENT = torch.tensor([[[1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4] * 4]]).log()
TARGET = torch.tensor([[[0.8, 0.1, 0.05, 0.05], [0.4, 0.4, 0.1, 0.1]]]).log()
ONES = torch.ones(1, 2)


def drawn(seed: int) -> Tensor:
    return torch.randn(3, 7, 11, generator=torch.Generator().manual_seed(seed))


def test_of_logits_that_are_log_probabilities_klr_muse_is_the_divergence_summed_over_a_sequence():
    assert_close(kl(STUDENT, TARGET), torch.full((1, 2), 0.192745), atol=1e-6, rtol=0)
    assert klr_muse(STUDENT, TARGET, ONES).item() == pytest.approx(2 * 0.192745, abs=1e-6)


def test_npo_muse_at_the_start_is_two_over_beta_times_ln_2_with_one_gradient_on_every_logit():
    logits = torch.tensor([[[3.0, -1.0, 0.5, 2.0]]], requires_grad=True)
    loss = npo_muse(logits, logits.detach(), beta=0.1)
    assert loss.item() == pytest.approx(13.862944, abs=1e-5)
    loss.sum().backward()
    assert_close(logits.grad, torch.full((1, 1, 4), 0.25))


def test_npo_muse_by_hand_away_from_the_start():
    loss = npo_muse(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 0.0]]]), beta=2.0)
    assert loss.item() == pytest.approx((math.log(1 + math.exp(2)) + math.log(2)) / 2, abs=1e-6)


@pytest.mark.parametrize("shift", [-2.0, 0.5, 3.0])
def test_a_constant_on_all_logits_changes_klr_muse_by_the_sum_of_exponentials_and_the_divergence_not_at_all(shift):
    student, target, mask = drawn(0), drawn(1), torch.ones(3, 7)
    changed = klr_muse(student + shift, target, mask) - klr_muse(student, target, mask)
    assert_close(changed, -shift * target.exp().sum((1, 2)), atol=1e-2, rtol=1e-4)
    assert_close(kl(student + shift, target), kl(student, target), atol=1e-5, rtol=0)


def test_the_gradient_of_klr_muse_is_the_same_wherever_the_student_is():
    target, found = drawn(1), []
    for seed in (2, 3):
        student = drawn(seed).requires_grad_()
        klr_muse(student, target, torch.ones(3, 7)).sum().backward()
        found.append(student.grad)
    assert_close(found[0], -target.exp())
    assert torch.equal(*found)


def test_padding_counts_for_nothing_in_klr_muse():
    mask = torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3, [1.0] + [0.0] * 6])
    found = klr_muse(drawn(0), drawn(1), mask)
    for row, length in enumerate((7, 4, 1)):
        alone = klr_muse(drawn(0)[row : row + 1, :length], drawn(1)[row : row + 1, :length], torch.ones(1, length))
        assert_close(found[row : row + 1], alone)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_size_of_chunks_changes_no_value_and_no_gradient(chunk):
    def both(size: int) -> list[Tensor]:
        student = drawn(0).requires_grad_()
        values = [klr_muse(student, drawn(1), torch.ones(3, 7), chunk=size), npo_muse(student, drawn(1), chunk=size)]
        sum(value.sum() for value in values).backward()
        return [*values, student.grad]

    for found, whole in zip(both(chunk), both(7), strict=True):
        assert_close(found, whole)
