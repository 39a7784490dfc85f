"""Weighted ascent: the specification's numbers, and that the weights take no gradient."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from trainables.losses.logits import ll, token_log_probs
from trainables.losses.weighted import satimp, wga

LOG_P = torch.tensor([[math.log(1 / 2), math.log(1 / 4)]])  # the specification's fixture F


def weight(loss, p: float) -> float:
    """What a token of this probability weighs: the gradient on its log-probability."""
    log_p = torch.tensor([[math.log(p)]], requires_grad=True)
    loss(log_p).sum().backward()
    return log_p.grad.item()


def test_the_losses_are_the_specification_s_numbers():
    assert wga(LOG_P, beta=1.0).mean().item() == pytest.approx(-0.346574, abs=1e-6)
    assert satimp(LOG_P, beta1=5.0, beta2=1.0).mean().item() == pytest.approx(-0.005923, abs=1e-6)


def test_satimp_s_weights_are_the_specification_s_numbers():
    assert weight(satimp, 1 / 2) == pytest.approx(0.015625)
    assert weight(satimp, 1 / 4) == pytest.approx(0.000732, abs=1e-6)


def test_the_weight_takes_no_gradient_so_at_p_1_over_e_it_is_1_over_e_and_not_0():
    assert weight(wga, math.exp(-1)) == pytest.approx(math.exp(-1))
    attached = torch.tensor(-1.0, requires_grad=True)
    (attached.exp() * attached).backward()
    assert attached.grad.item() == 0.0  # what it would be of a loss that forgets to detach


@settings(max_examples=25)
@given(p=st.floats(0.01, 0.99), one=st.floats(0.1, 10), two=st.floats(0.1, 3))
def test_the_gradient_on_log_p_is_exactly_the_weight(p, one, two):
    assert weight(lambda x: wga(x, beta=one), p) == pytest.approx(p**one, rel=1e-4)
    assert weight(lambda x: satimp(x, beta1=one, beta2=two), p) == pytest.approx(p**one * (1 - p) ** two, rel=1e-4)


@pytest.mark.parametrize(("loss", "expected"), [(wga, 1.0), (satimp, 0.0)])
def test_what_is_known_by_heart_weighs_as_in_ascent_or_nothing_at_all(loss, expected):
    assert weight(loss, 1.0) == expected


def test_near_p_1_the_weight_of_satimp_is_not_lost_to_rounding():
    log_p = torch.tensor([[-1e-9]], requires_grad=True)  # whose exp is 1 in fp32
    satimp(log_p).sum().backward()
    assert log_p.grad.item() == pytest.approx(1e-9)


def test_on_logits_wga_pulls_as_ascent_does_times_p():
    logits, targets = LOG_P.exp().new_tensor([[[2.0, 0.0, -1.0]]]).requires_grad_(), torch.tensor([[0]])
    pulls = [torch.autograd.grad(loss(token_log_probs(logits, targets)).sum(), logits)[0] for loss in (wga, ll)]
    assert_close(pulls[0], pulls[1] * logits.softmax(-1)[0, 0, 0])


@pytest.mark.parametrize("loss", [wga, satimp])
def test_padding_and_what_is_forgotten_give_nothing(loss):
    log_p = torch.tensor([[0.0, -1e4]], requires_grad=True)
    value = loss(log_p)
    assert_close(value, torch.zeros(1, 2))
    value[0, 1].backward()
    assert log_p.grad[0, 1] == 0
