"""The learning rate follows its schedule, by hand and in full, and weight decay is AdamW's alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.mean_teacher import ADAMW_7B
from trainables.methods.mean_teacher import MeanTeacher
from trainables.settings import WARMUPS
from trainables.training.optimizers import learning_rate, make_optimizer, set_learning_rate


def rates(steps, **settings):
    return [learning_rate(MeanTeacher(**settings), step) for step in steps]


@pytest.mark.parametrize(
    ("warmup", "expected"), [(4, [0.1, 0.2, 0.3, 0.4, 0.4]), (2, [0.2, 0.4, 0.4]), (0, [0.4, 0.4])]
)
def test_the_rate_warms_up_linearly_and_then_stays(warmup, expected):
    assert rates(range(1, len(expected) + 1), lr=0.4, warmup_steps=warmup) == pytest.approx(expected)


def test_the_held_rate_is_a_hundredth_and_then_rises_until_twice_the_warm_up_by_hand():
    held = {"lr": 2.0, "warmup": "held", "warmup_steps": 4}
    assert rates((1, 4, 5), **held) == pytest.approx([0.02, 0.02, 0.02])
    assert rates((6, 7, 8), **held) == pytest.approx([0.5, 1.0, 1.5])
    assert rates((9, 10, 1000), **held) == [2.0, 2.0, 2.0]


def test_an_ablation_s_adamw_at_7b_has_the_rates_and_the_decay_of_the_published_runs_by_hand():
    assert rates((1, 101), **ADAMW_7B) == pytest.approx([1e-8, 1e-8])
    assert rates((102, 151, 201, 202), **ADAMW_7B) == pytest.approx([1e-8, 5e-7, 1e-6, 1e-6])
    (group,) = make_optimizer([torch.ones(1)], MeanTeacher(**ADAMW_7B)).param_groups
    assert (group["weight_decay"], group["betas"]) == (0.01, (0.9, 0.95))


# Above 100 steps the held hundredth is more than the first 1 / w of the rise, in the public code too.
@given(warmup=st.sampled_from(WARMUPS), steps=st.integers(0, 100))
def test_a_rate_never_falls_and_ends_at_lr(warmup, steps):
    found = rates(range(1, 2 * steps + 3), lr=0.3, warmup=warmup, warmup_steps=steps)
    assert found == sorted(found)
    assert found[-1] == 0.3
    assert steps or found[0] == 0.3


@pytest.mark.parametrize(("optimizer", "kept"), [("adamw", 1 - 0.5 * 0.01), ("sgd", 1.0)])
def test_weight_decay_draws_the_weights_of_adamw_to_zero_by_rate_times_decay(optimizer, kept):
    weight = torch.tensor([4.0], requires_grad=True)
    weight.grad = torch.zeros(1)
    config = MeanTeacher(optimizer=optimizer, lr=0.5, weight_decay=0.01, warmup_steps=0)
    adapted = make_optimizer([weight], config)
    assert set_learning_rate(adapted, config, 1) == adapted.param_groups[0]["lr"] == 0.5
    adapted.step()
    assert weight.item() == pytest.approx(4 * kept)
