"""NPO with cross-entropy on retain text: the specification's numbers, and what it does without a second model."""

import math

import pytest
import torch
from tiny import tiny_model

from trainables.losses.logits import npo_sequence_sum
from trainables.method import Step
from trainables.methods import needs_of, unlearn
from trainables.methods.npo import NPO

SEQUENCES = [[0, 5, 9, 7, 4], [0, 3]]


def first_step(**settings) -> dict[str, float]:
    chosen = NPO(**({"steps": 1, "eval_every": 1, "batch_size": 4} | settings))
    return next(
        record.row()
        for record in unlearn(tiny_model(), SEQUENCES, SEQUENCES, chosen, pad=2)
        if isinstance(record, Step)
    )


def test_the_loss_and_its_weight_are_the_specification_s_numbers():
    log_p = torch.tensor([[math.log(1 / 2), math.log(1 / 4)]], requires_grad=True)
    reference = torch.tensor([[math.log(0.8), math.log(0.4)]])
    loss = npo_sequence_sum(log_p, reference, torch.ones(1, 2), beta=0.1)
    assert loss.item() == pytest.approx(12.945019, abs=1e-5)
    loss.sum().backward()
    assert log_p.grad[0, 0].item() == pytest.approx(0.953034, abs=1e-5)


@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_at_the_start_the_forget_loss_is_two_over_beta_times_ln_2(beta):
    assert first_step(npo_beta=beta)["forget_loss"] == pytest.approx(2 / beta * math.log(2), rel=1e-5)


def test_a_step_costs_three_forwards_of_each_batch_and_no_retain_text_without_its_weight():
    assert first_step()["cost"] == 4 * 3 + 4 * 3
    alone = first_step(retain_weight=0.0)
    assert alone["cost"] == 4 * 3
    assert alone["retain_loss"] == 0


def test_it_needs_no_second_model():
    needs = needs_of(NPO())
    assert not any((needs.teacher, needs.frozen, needs.guided))
