"""Bidirectional logit distillation: the specification's numbers; a student that is the teacher has nothing to learn."""

import pytest
import torch
from given import GIVEN
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import Unfit
from trainables.losses.centred import brought, pressed
from trainables.method import Step
from trainables.methods import needs_of, unlearn
from trainables.methods.bld import BLD, INSTRUCTION, before
from trainables.methods.lessons import answers_of, lessons

ALL = {"steps": 1, "eval_every": 1, "batch_size": 4, "warmup_steps": 0}


def of(*values: float) -> torch.Tensor:
    return torch.tensor([[values]])


def run(given=GIVEN, **changes) -> list[Step]:
    records = unlearn(tiny_model(), [[0, 5]], [[0, 3]], BLD(**(ALL | changes)), pad=2, **given)
    return [record for record in records if isinstance(record, Step)]


def test_two_words_a_nat_from_their_mean_and_a_flat_student_give_one():
    assert brought(of(0.0, 0.0), torch.tensor([[[0, 1]]]), of(1.0, -1.0)).item() == pytest.approx(1.0)


def test_beyond_a_nat_the_loss_grows_by_a_nat_for_each():
    assert brought(of(0.0, 0.0), torch.tensor([[[0, 1]]]), of(3.0, -3.0)).item() == pytest.approx(2 * 2.5)


def test_what_only_the_student_finds_likely_is_pressed_to_the_least_of_the_teacher_s_words():
    words, values = torch.tensor([[[0, 1]]]), of(1.0, -1.0)
    assert pressed(of(2.0, 0.0, 5.0, -9.0), words, values).item() == pytest.approx(5.0 - 1.0 + 1.0)
    assert pressed(of(5.0, 4.0, 1.0, -9.0), words, values).item() == 0


logits = st.lists(st.integers(-20, 20).map(float), min_size=6, max_size=6)


@given(logits, st.integers(-20, 20))
def test_a_student_that_is_the_teacher_has_no_loss_and_a_constant_changes_nothing(z, constant):
    z = of(*z) + torch.arange(6) / 64  # without ties
    highest = z.topk(3, dim=-1)
    values = highest.values - highest.values.mean(-1, keepdim=True)
    for loss in (brought, pressed):
        assert loss(z + constant, highest.indices, values).item() == pytest.approx(0.0, abs=1e-4)


@torch.no_grad()
def test_a_lesson_has_the_teacher_s_logits_where_its_answer_stands_behind_what_the_student_is_asked():
    model, read, asked, answer = tiny_model(), [0, 7, 7, 9, 5, 6], [0, 5, 6], [11, 12]
    found = lessons(model, [read, [0, 4]], [asked, [0, 4]], [answer, [8]], 4, BLD(micro_batch_size=1), pad=2)
    assert (found.sequences, found.leading) == ([[0, 5, 6, 11, 12], [0, 4, 8]], [2, 1])
    plain = model(torch.tensor([read + answer])).logits[0, 5:7].topk(4)
    assert torch.equal(found.words[0][2:], plain.indices)
    wanted = plain.values - plain.values.mean(-1, keepdim=True)
    assert torch.allclose(found.values[0][2:], wanted, atol=1e-5)
    assert found.values[0].shape == (4, 4)


def test_answers_end_at_a_line_break():
    tokenizer, model = tiny_tokenizer(), tiny_model()
    (whole,) = answers_of(model, tokenizer, [[0, 5]], longest=8, batch_size=2)
    assert len(whole) <= 8
    assert all("\n" not in tokenizer.decode(whole[:i]) for i in range(len(whole)))


def test_behind_retain_prompts_the_student_begins_as_the_teacher_and_behind_forget_prompts_not():
    (step,) = run()
    assert step.values["retain_loss"] == pytest.approx(0.0, abs=1e-4)
    assert step.values["forget_loss"] > 0.1


def test_the_teacher_reads_an_instruction_and_refused_questions_on_what_does_not_exist():
    text = before(GIVEN["data"]["unknown"]["new"], GIVEN["data"]["refusals"]["forget"])
    assert text.startswith(INSTRUCTION)
    assert text.count("\n\n") == 1 + 3
    assert GIVEN["data"]["refusals"]["forget"][0]["texts"][0] in text


@pytest.mark.parametrize("changes", [{"taught": "own"}, {"asked": "pairs"}, {"backward": 0.0}, {"lora_rank": 2}])
def test_every_choice_runs(changes):
    assert run(**changes)[0].values["forget_loss"] > 0


def test_it_needs_what_is_asked_refusals_and_questions_on_nothing():
    assert needs_of(BLD(asked="pairs")).data == ("pairs", "refusals", "unknown")
    assert not needs_of(BLD()).frozen


def test_where_nothing_can_be_asked_a_run_says_so():
    empty = {"qa": {"forget": [], "retain1": []}}
    with pytest.raises(Unfit, match="^no qa are made of forget and retain texts: bld has nothing to ask$"):
        run(given=GIVEN | {"data": GIVEN["data"] | empty})
