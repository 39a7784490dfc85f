"""Noise and steering: none of either changes nothing, and the best of several is taken by what was not scored."""

import numpy as np
import pytest
import torch
from tiny import tiny_model
from tiny_subjects import texts

from trainables.probes import parse_probe
from trainables.probes.perturbing import Drawn, answers_of
from trainables.scores.answer_prob import answer_prob


def test_no_noise_changes_nothing():
    found = parse_probe("noise:gamma=0,draws=2,most=4").read(tiny_model(1), texts(), None)
    assert not found["noise_shift_f"].values.any()
    some = parse_probe("noise:gamma=0.5,draws=2,most=4").read(tiny_model(1), texts(), None)
    assert (some["noise_shift_f"].values > 0).all()


def test_without_noise_the_value_is_the_answers_own_probability():
    model = tiny_model(1)
    answer = answers_of(texts(), texts().benchmark.rows("knowmem", "forget_qa")[:1])[0]
    with torch.no_grad():
        logprobs = model(torch.tensor([answer.ids])).logits[0].log_softmax(dim=-1)
    own = [float(logprobs[i - 1, answer.ids[i]]) for i in range(answer.begin, len(answer.ids))]
    found = parse_probe("noise:gamma=0,draws=1,most=1").read(model, texts(), None)["noise_f"]
    assert found.values[0] == pytest.approx(100 * answer_prob(np.array(own)), rel=1e-4)
    assert found.truths == ["Orton"]


def test_a_draw_is_the_same_for_all_rows_and_however_long_they_are():
    states = torch.zeros(3, 7, 4)
    moved = Drawn(0.5, (0, 1))(states)
    assert not states.any()  # a new tensor
    assert torch.equal(moved[0], moved[2])
    assert torch.equal(Drawn(0.5, (0, 1))(states[:1, :3])[0], moved[0, :3])
    assert not torch.equal(Drawn(0.5, (0, 2))(states), moved)


def test_steering_is_scored_by_the_half_that_did_not_choose_its_strength():
    found = parse_probe("steering:names=2").read(tiny_model(1), texts(), None)
    rows = texts().benchmark.rows("knowmem", "forget_qa")
    assert found["steering_f"].truths == [row["answer"] for row in rows[1::2]]


def test_names_that_nobody_knows_have_to_be_there():
    with pytest.raises(ValueError, match=r"steering: \d+ names are known of texts that no model saw: 99 are needed"):
        parse_probe("steering:names=99").read(tiny_model(1), texts(), None)
