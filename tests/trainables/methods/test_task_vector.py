"""The task vector: the specification's numbers, exact arithmetic on the weights that move, a candidate a multiple."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_model

from trainables.memory.plan import LOSS, plan, shape_of
from trainables.method import Candidate, Evaluated, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.task_vector import TaskVector
from trainables.training.sweep import go_along_

FORGET = [[0, 5, 9, 7, 4], [0, 3, 8]]
SMALL = {"steps": 3, "eval_every": 2, "batch_size": 4, "alpha": 4.0, "halvings": 1}


def along(start: float, end: float, strength: float, dtype=torch.float32) -> torch.Tensor:
    """One weight between or beyond two."""
    weight = torch.zeros(1, dtype=dtype)
    go_along_([weight], [torch.tensor([start], dtype=dtype)], [torch.tensor([end], dtype=dtype)], strength)
    return weight


def run(model=None, **settings):
    """The settings of a run, its steps, each candidate's weights by its multiple, and the model that learned."""
    chosen, steps, candidates, state = TaskVector(**(SMALL | settings)), [], {}, None
    for record in unlearn(model or tiny_model(), FORGET, [], chosen, pad=2):
        if isinstance(record, Step):
            steps.append(record)
        elif isinstance(record, Candidate):
            candidates[record.at] = {name: value.clone() for name, value in record.subject.state_dict().items()}
        elif isinstance(record, Evaluated):
            state = record.state or state
    return chosen, steps, candidates, state.models["student"]


def test_a_weight_of_2_that_learning_takes_to_2_3_is_one_half_at_alpha_5():
    assert along(2.0, 2.3, -5.0).item() == pytest.approx(0.5, abs=1e-5)


weights = st.floats(-4, 4, width=32)


@given(weights, weights)
def test_alpha_0_gives_the_target_s_weights_and_minus_1_the_learned_ones(start, end):
    assert along(start, end, 0.0).item() == start
    assert along(start, end, 1.0).item() == pytest.approx(end, abs=1e-6)


@given(weights, weights, st.floats(0, 16))
def test_a_candidate_is_linear_in_alpha(start, end, alpha):
    one, two, half = (along(start, end, -k * alpha, torch.float64).item() - start for k in (1, 2, 0.5))
    assert (two, half) == pytest.approx((2 * one, one / 2), abs=1e-12)


def test_an_update_too_small_for_bf16_is_taken_whole():
    learned = 0.5 + 2**-16
    assert torch.tensor(learned).bfloat16() == 0.5
    assert along(0.5, learned, -8.0).item() == 0.5 - 2**-13


@pytest.mark.parametrize(
    ("alpha", "halvings", "strengths"), [(16.0, 4, (1.0, 2.0, 4.0, 8.0, 16.0)), (5.0, 0, (5.0,)), (1.5, 1, (0.75, 1.5))]
)
def test_multiples_are_halves_of_the_largest_the_smallest_first(alpha, halvings, strengths):
    settings = TaskVector(alpha=alpha, halvings=halvings)
    assert settings.strengths == strengths
    assert settings.evaluations == len(strengths)


@pytest.mark.parametrize("make", [{}, {"tie_word_embeddings": True}], ids=["two heads", "tied head"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_each_candidate_is_the_target_less_its_multiple_of_what_was_learned(make, precision):
    target = tiny_model(**make)
    _, _, candidates, learned = run(tiny_model(**make), freeze=False, precision=precision)
    assert sorted(candidates) == [2.0, 4.0]
    for alpha, found in candidates.items():
        for name, start in target.state_dict().items():
            moved = learned.state_dict()[name].double() - start.double()
            assert moved.abs().max() > 0
            torch.testing.assert_close(found[name].double(), start.double() - alpha * moved, rtol=0, atol=1e-6)


def test_what_does_not_move_is_shared_and_what_moves_is_there_twice_on_the_device():
    model, settings = tiny_model(), TaskVector(**SMALL)
    subjects = [r.subject for r in unlearn(model, FORGET, [], settings, pad=2) if isinstance(r, Candidate)]
    assert all(subject is subjects[0] and not subject.training for subject in subjects)
    there = {weight.data_ptr() for weight in model.parameters()}
    own = sum(weight.numel() for weight in subjects[0].parameters() if weight.data_ptr() not in there)
    assert 4 * own == plan(shape_of(model.config), settings).phases[LOSS]["teacher"]
    assert needs_of(settings).trainable == "matrices"


def test_it_learns_the_forget_text_alone_for_three_forwards_a_sequence():
    _, steps, _, _ = run(steps=12, batch_size=2, sampling="cyclic", lr=1e-2)
    assert steps[-1].values["forget_loss"] < steps[0].values["forget_loss"] / 2
    assert {step.cost for step in steps} == {2 * 3}
