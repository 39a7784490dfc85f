"""The teacher is an exact fp32 average, damping and contraction are formulas, a frozen teacher stays frozen."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_model
from torch.testing import assert_close

from trainables.method import Candidate
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.training.teacher import add_damping_, clip_coefficient, contract_, make_teacher
from trainables.training.trainable import freeze

quickly = settings(max_examples=25)
rates = st.floats(0, 1)


def tensors(*rows):
    return [torch.tensor(row) for row in rows]


def test_contraction_by_hand():
    teacher, student = tensors([1.0, 2.0], [0.0]), tensors([3.0, 2.0], [-4.0])
    contract_(teacher, student, 0.25)  # 0.75 * teacher + 0.25 * student
    assert_close(teacher, tensors([1.5, 2.0], [-1.0]))


def test_damping_by_hand_adds_to_the_gradient_and_moves_no_weight():
    gradients, student, teacher = tensors([1.0, 1.0]), tensors([3.0, 0.0]), tensors([1.0, 4.0])
    add_damping_(gradients, student, teacher, 0.5)  # + 0.5 * (student - teacher)
    assert_close(gradients, tensors([2.0, -1.0]))
    assert_close([*student, *teacher], tensors([3.0, 0.0], [1.0, 4.0]))


@quickly
@given(rate=rates, values=st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=2))
def test_the_average_lies_between_teacher_and_student_and_a_rate_of_1_is_the_student(rate, values):
    teacher, student = tensors([values[0]]), tensors([values[1]])
    contract_(teacher, student, rate)
    assert teacher[0].item() == pytest.approx((1 - rate) * values[0] + rate * values[1], rel=1e-5, abs=1e-4)
    contract_(teacher, student, 1.0)
    assert torch.equal(teacher[0], student[0])


def test_many_contractions_to_a_resting_student_are_geometric():
    teacher, student = tensors([1.0]), tensors([0.0])
    for _ in range(100):
        contract_(teacher, student, 0.01)
    assert teacher[0].item() == pytest.approx(0.99**100, rel=1e-5)


def test_a_bf16_average_at_delta_0_005_stalls_where_ours_moves():
    student = torch.full((4,), 1.25, dtype=torch.bfloat16)
    naive, ours = torch.ones(4, dtype=torch.bfloat16), torch.ones(4)
    for _ in range(1000):
        naive.lerp_(student, 0.005)
        contract_([ours], [student.float()], 0.005)
    assert torch.equal(naive, torch.ones(4, dtype=torch.bfloat16))
    assert_close(ours, torch.full((4,), 1.25 - 0.25 * 0.995**1000))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_half_precision_teacher_is_refused(dtype):
    teacher, student = torch.ones(2, dtype=dtype), torch.zeros(2, dtype=dtype)
    with pytest.raises(ValueError, match=rf"the teacher is {dtype}.*torch.float32"):
        contract_([torch.ones(2), teacher], [torch.zeros(2), student], 0.5)


@pytest.mark.parametrize(("clip", "c"), [(1.0, 0.2), (5.0, 1.0), (10.0, 1.0)])
def test_clip_coefficient_by_hand(clip, c):
    assert clip_coefficient(5.0, clip) == pytest.approx(c)


def test_a_norm_that_is_not_a_number_gives_a_coefficient_that_is_none_either():
    assert math.isnan(clip_coefficient(math.nan, 1.0))


def test_a_zero_gradient_is_not_scaled():
    assert clip_coefficient(0.0, 1.0) == 1.0


def test_the_teacher_starts_as_the_student_and_shares_only_what_is_frozen():
    student = tiny_model()
    freeze(student)
    teacher = make_teacher(student.train())
    assert not teacher.training
    for p, q in zip(student.parameters(), teacher.parameters(), strict=True):
        assert torch.equal(p, q)
        assert not q.requires_grad
        assert (p is q) == (not p.requires_grad)
    assert any(p.requires_grad for p in student.parameters())  # the student's own flags are untouched


def test_tied_weights_stay_tied_in_the_teacher():
    teacher = make_teacher(tiny_model(tie_word_embeddings=True))
    assert teacher.lm_head.weight is teacher.get_input_embeddings().weight


@pytest.mark.parametrize(("delta", "damping", "frozen"), [(0.0, 0.0, True), (0.1, 0.0, False)])
def test_the_teacher_is_a_frozen_reference_bit_for_bit_exactly_where_delta_is_0(delta, damping, frozen):
    student = tiny_model()
    start = copy.deepcopy(student.state_dict())
    config = MeanTeacher(steps=4, eval_every=4, lr=0.5, batch_size=2, delta=delta, damping=damping)
    records = list(unlearn(student, [[0, 5, 6, 7]], [[0, 8, 9]], config, pad=2))
    moved = {
        record.role: [name for name, w in record.subject.state_dict().items() if not torch.equal(w, start[name])]
        for record in records
        if isinstance(record, Candidate)
    }
    assert moved["student"]
    assert (moved["teacher"] == []) == frozen


def test_without_damping_the_gradient_is_left_as_it_is_bit_for_bit():
    gradients = tensors([0.1, -0.0])
    before = gradients[0].clone()
    add_damping_(gradients, tensors([math.inf, 1.0]), tensors([1.0, 1.0]), 0.0)
    assert torch.equal(gradients[0], before)
