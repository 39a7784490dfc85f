"""EGUP: weights and bound by hand; without them it is npo_gdr to the bit; a text that moved weighs less."""

from dataclasses import asdict

import pytest
import torch
from given import GIVEN
from tiny import tiny_model

from trainables.method import Candidate, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.egup import EGUP, beyond, entanglement, left_to_do, weights_of
from trainables.methods.npo import NPOGDR

FORGET = [[0, 5, 9, 7, 4], [0, 3, 8, 6], [0, 200, 41, 17]]
RETAIN = [[0, 60, 61, 62], [0, 9, 12]]
SMALL = {"steps": 4, "eval_every": 4, "batch_size": 3, "sampling": "cyclic", "lr": 1e-2, "warmup_steps": 0}


def run(settings) -> tuple[list[dict], dict]:
    steps, weights = [], {}
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN):
        if isinstance(record, Step):
            steps.append(record.row())
        elif isinstance(record, Candidate):
            weights = {name: value.clone() for name, value in record.subject.state_dict().items()}
    return steps, weights


def test_weights_by_hand_have_mean_1_and_are_alike_at_a_high_temperature():
    near = torch.tensor([0.9, 0.5], dtype=torch.float64)
    assert weights_of(near, 0.2).tolist() == pytest.approx([1.761594, 0.238406], abs=1e-6)
    assert weights_of(near, 1e9).tolist() == pytest.approx([1, 1])


def test_a_text_is_as_entangled_as_the_mean_of_its_five_largest_cosines():
    forget = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    retain = torch.tensor([[3.0, 0.0]] * 4 + [[0.0, 1.0]] * 3)
    expected = weights_of(torch.tensor([4 / 5, 3 / 5], dtype=torch.float64), 0.1)
    assert entanglement(forget, retain, 0.1).tolist() == pytest.approx(expected.tolist())
    assert entanglement(forget, retain[:2], 0.1).tolist() == pytest.approx(
        weights_of(torch.tensor([1.0, 0.0], dtype=torch.float64), 0.1).tolist()
    )


def test_what_is_left_to_do_by_hand():
    before = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    now = torch.tensor([[2.0, 0.0], [0.75, 0.75 * (1 / 0.75**2 - 1) ** 0.5], [0.0, 1.0]])  # cosines 1, .75, 0
    assert left_to_do(now, before, 0.5).tolist() == pytest.approx([1, 0.5, 0], abs=1e-6)


def test_the_bound_by_hand_pulls_only_what_is_less_likely_than_the_level():
    log_p = torch.tensor([[-1.0, -3.0], [-4.0, 0.0], [-0.5, -0.5]], requires_grad=True)
    mask = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    values = beyond(log_p, mask, 1.5)  # mean losses 2, 4, .5
    assert values.tolist() == [0.25, 6.25, 0]
    values.sum().backward()
    assert log_p.grad[2].tolist() == [0, 0]
    assert log_p.grad[:2].tolist() == [[-0.5, -0.5], [-5, 0]]


def test_without_weights_and_bound_it_is_npo_gdr_up_to_rounding():
    inner = NPOGDR(**SMALL)
    same = EGUP(**asdict(inner), egup_tau=1e12, proxy_weight=0.0, shift_every=100)
    one, other = run(same), run(inner)
    for mine, plain in zip(one[0], other[0], strict=True):
        assert {k: v for k, v in mine.items() if k != "cost"} == pytest.approx(
            {k: v for k, v in plain.items() if k != "cost"}, rel=1e-6
        )
    assert one[0][0]["cost"] - other[0][0]["cost"] == 3 + 2 + 1
    assert one[0][1]["cost"] == other[0][1]["cost"]


def test_a_text_that_moved_far_weighs_nothing_any_more():
    steps, _ = run(EGUP(**(SMALL | {"lr": 0.1}), egup_shift=1e-9, shift_every=2, proxy_weight=0.0))
    assert [row["forget_loss"] > 0 for row in steps] == [True, True, False, False]
    assert [row["cost"] for row in steps[1:]] == [18, 21, 18]


def test_it_needs_text_that_nobody_read():
    assert needs_of(EGUP()).data == ("proxy",)
    assert not needs_of(EGUP()).frozen
