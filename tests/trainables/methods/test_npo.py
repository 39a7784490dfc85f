"""NPO, alone and with a retain term: the specification's numbers, and what it does without a second model."""

import math

import pytest
import torch
from tiny import tiny_model
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.losses.logits import npo_sequence_sum
from trainables.method import Start, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.npo import NPOGDR
from trainables.training.initial import initial_log_probs
from trainables.world import ALONE

SEQUENCES = [[0, 5, 9, 7, 4], [0, 3]]


def steps_of(**settings) -> list[dict[str, float]]:
    chosen = NPOGDR(**({"steps": 1, "eval_every": 1, "batch_size": 4} | settings))
    records = unlearn(tiny_model(), SEQUENCES, SEQUENCES, chosen, pad=2)
    return [record.row() for record in records if isinstance(record, Step)]


def first_step(**settings) -> dict[str, float]:
    return steps_of(**settings)[0]


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
    assert steps_of(steps=2)[1]["cost"] == 4 * 3 + 4 * 3
    alone = steps_of(steps=2, retain_weight=0.0)[1]
    assert alone["cost"] == 4 * 3
    assert "retain_loss" not in alone


def test_the_first_step_bears_the_reference_s_pass_over_all_forget_text():
    first, second = steps_of(steps=2)
    assert first["cost"] - second["cost"] == len(SEQUENCES)


def test_the_reference_has_the_bits_of_a_plain_pass_also_where_it_is_known_from_before():
    known, made = {}, []

    def cached(key, make):
        made.append(key not in known)
        return known.setdefault(key, make() if key not in known else None)

    start = Start(model=tiny_model(), forget=SEQUENCES, retain=SEQUENCES, pad=2, cached=cached)
    for settings in (NPOGDR(), NPOGDR(lr=1.0), NPOGDR(micro_batch_size=1), NPOGDR(precision="bf16")):
        found = initial_log_probs(start.model, start, settings, ALONE)
        assert [len(log_p) for log_p in found] == [len(ids) - 1 for ids in SEQUENCES]
    assert made == [True, False, True, True]  # what decides the last bits is asked for anew
    alone = next(value for key, value in known.items() if "fp32" in key and 1 in key)
    plain = [start.model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1) for ids in SEQUENCES]
    for log_p, all_words, ids in zip(alone, plain, SEQUENCES, strict=True):
        assert torch.equal(log_p, all_words[range(len(ids) - 1), ids[1:]])


def test_dropout_is_off_in_the_reference():
    model = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=16, n_embd=16, n_layer=1, n_head=2)).train()
    start = Start(model=model, forget=SEQUENCES, retain=SEQUENCES, pad=2)
    one, other = (initial_log_probs(model, start, NPOGDR(), ALONE) for _ in range(2))
    assert all(map(torch.equal, one, other))


def test_it_needs_no_second_model():
    needs = needs_of(NPOGDR())
    assert not any((needs.teacher, needs.frozen, needs.guided))
