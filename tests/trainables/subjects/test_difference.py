"""A logit difference is the target's logits less a shallow assistant's, by the specification's numbers, written and scored alike."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_model, tiny_tokenizer

from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.subjects.difference import LogitDifference, difference, kept
from trainables.subjects.saving import load_subject, save_subject
from trainables.training.shallow import shallow

Z0, ZA = torch.tensor([3.0, 2.0, 1.0, 0.0]), torch.tensor([3.0, 0.0, 0.0, 0.0])
ROWS = [[0, 5, 9, 7, 4], [0, 3], [0, *range(20, 45)], [0, 8, 8, 6]]


def pair(alpha: float = 0.8, rho: float = 0.0) -> LogitDifference:
    """A target of two blocks, and its first one with other numbers in its matrices."""
    target = tiny_model()
    assistant = shallow(tiny_model(), 1).requires_grad_(False)
    generator = torch.Generator().manual_seed(1)
    for name, weight in assistant.named_parameters():
        if "proj" in name:
            weight.mul_(0.7).add_(torch.randn(weight.shape, generator=generator), alpha=0.05)
    return LogitDifference(target, assistant, alpha, rho)


@torch.no_grad()
def plainly(subject: LogitDifference, ids: list[int]) -> torch.Tensor:
    """Logits [T, V] from a pass of each model over one row, without padding or cache."""
    target, assistant = (model(torch.tensor([ids]), use_cache=False).logits[0] for model in subject.models)
    return difference(target, assistant, subject.alpha, subject.rho)


def one_by_one(subject: LogitDifference, prompts, count: int) -> list[list[int]]:
    found = []
    for prompt in prompts:
        ids = list(prompt)
        while len(ids) < len(prompt) + count and (len(ids) == len(prompt) or ids[-1] != 1):
            ids.append(int(plainly(subject, ids)[-1].argmax()))
        found.append(ids[len(prompt) :])
    return found


def test_the_specification_s_logits_move_the_likeliest_word_from_the_first_to_the_second():
    found = difference(Z0, ZA, 1.0)
    assert found.tolist() == [0.0, 2.0, 1.0, 0.0]
    assert (Z0.argmax().item(), found.argmax().item()) == (0, 1)


def test_rho_a_tenth_leaves_out_the_last_word_alone():
    assert kept(Z0, 0.1).tolist() == [True, True, True, False]  # p 0.032 is less than a tenth of 0.644


def test_a_word_that_is_left_out_is_lowered_as_the_most_lowered_of_the_others():
    assert difference(Z0, ZA, 1.0, rho=0.1).tolist() == [0.0, 2.0, 1.0, -3.0]


def test_so_many_words_are_never_left_out_as_rho_is_a_share_of_all():
    assert kept(torch.tensor([50.0, 2.0, 1.0, 0.0]), 0.5).tolist() == [True, True, False, False]


logits = st.lists(st.integers(-64, 64).map(float), min_size=3, max_size=3).map(torch.tensor)


@given(logits, st.integers(-64, 64), st.integers(0, 32).map(float))
def test_an_assistant_that_knows_nothing_changes_no_probability(z, constant, alpha):
    found = difference(z, torch.full((3,), float(constant)), alpha)
    assert torch.allclose(found.softmax(-1), z.softmax(-1), atol=1e-6)


@given(logits, logits)
def test_at_alpha_0_it_is_the_target(z, z_a):
    assert torch.equal(difference(z, z_a, 0.0), z)


@given(logits, logits, st.integers(-64, 64), st.sampled_from([0.0, 0.1]))
def test_a_constant_added_to_either_s_logits_changes_no_probability(z, z_a, constant, rho):
    found = difference(z, z_a, 2.0, rho).softmax(-1)
    assert torch.allclose(difference(z + constant, z_a, 2.0, rho).softmax(-1), found, atol=1e-6)
    assert torch.allclose(difference(z, z_a + constant, 2.0, rho).softmax(-1), found, atol=1e-6)


@pytest.mark.parametrize("low", [-torch.inf, torch.finfo(torch.float32).min])
def test_a_word_that_both_models_mask_stays_masked(low):
    assert difference(torch.tensor([low, 1.0]), torch.tensor([low, 2.0]), 4.0).tolist() == [low, -7.0]


@pytest.mark.parametrize("rho", [0.0, 0.05])
def test_it_writes_and_scores_by_one_function_whatever_the_batch(rho):
    subject = pair(rho=rho)
    wanted = one_by_one(subject, ROWS, 8)
    assert wanted != greedy(subject.models[0], ROWS, max_new_tokens=8)
    for way in ("shared", "padded", "whole"):
        assert greedy(subject, ROWS, max_new_tokens=8, decode=way) == wanted
    for got, ids in zip(token_logprobs(subject, ROWS), ROWS, strict=True):
        odds = plainly(subject, ids).log_softmax(-1)[:-1]
        np.testing.assert_allclose(got, odds[range(len(ids) - 1), ids[1:]], rtol=0, atol=5e-5)


@pytest.mark.parametrize("rho", [0.0, 0.05])
def test_it_comes_back_from_its_folder_as_it_was_and_what_both_models_share_is_held_once(tmp_path, rho):
    subject = pair(rho=rho)
    save_subject(subject, tiny_tokenizer(), tmp_path)
    assert json.loads((tmp_path / "parts.json").read_text()) == {
        "kind": "logit_difference",
        "data": {"alpha": 0.8, "rho": rho},
    }
    again = load_subject(tmp_path)
    assert greedy(again, ROWS, max_new_tokens=8) == greedy(subject, ROWS, max_new_tokens=8)
    for one, other in zip(token_logprobs(again, ROWS), token_logprobs(subject, ROWS), strict=True):
        assert np.array_equal(one, other)
    target, assistant = again.models
    assert assistant.config.num_hidden_layers == 1
    assert assistant.get_input_embeddings().weight is target.get_input_embeddings().weight
    assert assistant.get_output_embeddings().weight is target.get_output_embeddings().weight


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"alpha": -1.0}, "its alpha is -1.0: it must be at least 0, and finite$"),
        ({"alpha": 1.0, "rho": "half"}, "its rho is 'half': it must be a number$"),
        ({"alpha": 1.0, "rho": 2.0}, "its rho is 2.0: it must lie between 0 and 1$"),
    ],
)
def test_data_that_make_none_are_told_in_a_line(tmp_path, data, line):
    save_subject(pair(), tiny_tokenizer(), tmp_path)
    (tmp_path / "parts.json").write_text(json.dumps({"kind": "logit_difference", "data": data}))
    with pytest.raises(ValueError, match=line):
        load_subject(tmp_path)
