"""Sampling draws from the model's own distribution, and a row's draws hang on its number and the seed alone."""

import math
from collections import Counter

import pytest
import torch
from tiny import tiny_model

from trainables.decoding.sample import sample

PROMPTS = [[0, 5, 6, 7], [0, 9], [0, 8, 11, 12, 13, 14], [0, 5]]


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_a_batch_s_size_changes_no_token(batch_size):
    whole = sample(tiny_model(), PROMPTS, max_new_tokens=6, seed=3)
    assert sample(tiny_model(), PROMPTS, max_new_tokens=6, seed=3, batch_size=batch_size) == whole
    assert sample(tiny_model(), PROMPTS[:2], max_new_tokens=6, seed=3) == whole[:2]
    assert sample(tiny_model(), PROMPTS, max_new_tokens=6, seed=4) != whole


@pytest.mark.parametrize("decode", ["padded", "even", "alone"])
def test_every_way_of_decoding_draws_the_same(decode):
    whole = sample(tiny_model(), PROMPTS, max_new_tokens=4, seed=0)
    assert sample(tiny_model(), PROMPTS, max_new_tokens=4, seed=0, decode=decode) == whole


def test_tokens_come_as_often_as_the_softmax_says():
    model, count = tiny_model(), 1500
    drawn = Counter(new[0] for new in sample(model, [[0, 5, 6]] * count, max_new_tokens=1, seed=1, batch_size=500))
    with torch.no_grad():
        p = torch.softmax(model(torch.tensor([[0, 5, 6]])).logits[0, -1], dim=-1)
    for token in p.topk(5).indices.tolist():
        share = p[token].item()
        assert abs(drawn[token] / count - share) < 4 * math.sqrt(share * (1 - share) / count)


def test_it_ends_with_the_end_of_the_sequence():
    model = tiny_model()
    with torch.no_grad():
        model.lm_head.weight[1] = 50 * model.lm_head.weight.abs().max()
    for new in sample(model, PROMPTS, max_new_tokens=8, seed=0):
        assert 1 not in new[:-1]
