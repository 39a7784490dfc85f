"""Hidden states compared: CKA by the spec's hand numbers, neighbours and probes on states that are made up."""

import numpy as np
import pytest
import torch
from tiny import tiny_model

from trainables.probes.features import cka, cka_items, gram, neighbours_say, told_apart
from trainables.probes.same_code import _shares
from trainables.probes.states import LAST, MEAN, block_states, next_logprobs, spread_of

ROWS = [[0, 5, 9, 40, 7], [0, 33, 8], [0, 12]]


def of(one, other):
    return cka(*(gram(np.array(own, dtype=float).reshape(len(own), -1)) for own in (one, other)))


def test_cka_is_that_of_the_spec():
    assert of([1, 0, -1], [2, -1, -1]) == pytest.approx(0.75)
    assert of([1, 0, -1], [8, 5, 2]) == pytest.approx(1)  # 3 x + 5
    assert of([1, -2, 1], [1, 0, -1]) == pytest.approx(0, abs=1e-12)
    assert of([1, 1, 1], [1, 0, -1]) == 0  # one point


def test_cka_sees_no_rotation_and_its_items_have_it_as_their_mean():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 5))
    q, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    assert of(x, x @ q) == pytest.approx(1)
    grams = [gram(x), gram(x[:, :2])], [gram(x[:, 1:]), gram(x)]
    slow = np.mean([cka(a, b) for a, b in zip(*grams, strict=True)])
    assert cka_items(*grams).mean() == pytest.approx(100 * slow)


def test_neighbours_vote_and_the_nearer_ones_win_a_tie():
    states = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [0, 1.1]])
    assert neighbours_say(states, ["a", "a", "b", "b", "b"], 1) == ["a", "a", "b", "b", "b"]
    assert neighbours_say(states[:3], ["a", "a", "b"], 2)[0] == "a"  # one of each: the nearer


def test_a_linear_probe_tells_what_differs_and_not_what_does_not():
    rng = np.random.default_rng(0)
    same, other = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    assert told_apart(same, other + 6, C=1.0, seeds=[0]).mean() == 100
    assert told_apart(same, other, C=1.0, seeds=[0]).mean() == pytest.approx(50, abs=15)
    with pytest.raises(ValueError, match="there are 4 texts of a kind, and 5 folds"):
        told_apart(same[:4], other, C=1.0, seeds=[0])


def test_states_are_those_of_transformers():
    model = tiny_model(1)
    for of_rows in (LAST, MEAN):
        found = block_states(model, ROWS, of_rows, batch_size=2)
        for i, row in enumerate(ROWS):
            with torch.no_grad():
                first = model(torch.tensor([row]), output_hidden_states=True).hidden_states[1][0]
            own = first[-1] if of_rows == LAST else first[1:].mean(dim=0)
            assert found[0, i] == pytest.approx(own.numpy(), abs=1e-5)


def test_the_spread_is_that_of_all_numbers_behind_a_block():
    model = tiny_model(1)
    with torch.no_grad():
        slow = [model(torch.tensor([row]), output_hidden_states=True).hidden_states[1][0].flatten() for row in ROWS]
    assert spread_of(model, ROWS, 0) == pytest.approx(float(torch.cat(slow).std(unbiased=False)), rel=1e-5)


def test_nothing_that_is_added_to_a_state_changes_nothing_and_the_logprob_is_the_models_own():
    model = tiny_model(1)
    plain = next_logprobs(model, ROWS, [4, 5, 6])
    for i, (row, token) in enumerate(zip(ROWS, [4, 5, 6], strict=True)):
        with torch.no_grad():
            own = model(torch.tensor([row])).logits[0, -1].log_softmax(dim=-1)[token]
        assert plain[i] == pytest.approx(float(own), abs=1e-4)
    pushed = np.zeros((3, 32), dtype=np.float32)
    assert np.array_equal(next_logprobs(model, ROWS, [4, 5, 6], block=1, added=pushed), plain)
    assert not np.allclose(next_logprobs(model, ROWS, [4, 5, 6], block=1, added=pushed + 1), plain)


def test_shares_of_matrices_of_different_sizes_have_the_share_of_all_weights_as_their_mean():
    one, two = torch.tensor([[1.0, 0.4]]), torch.tensor([[1.0, 0.4, -0.25, 0.1]])
    known = [torch.tensor([[127, 51]], dtype=torch.int8), torch.tensor([[127, 0, 0, 0]], dtype=torch.int8)]
    assert _shares([one, two], known, "int8").values.mean() == pytest.approx(100 * 3 / 6)
    whole = [torch.tensor([[127, 51]], dtype=torch.int8), torch.tensor([[127, 51, -32, 13]], dtype=torch.int8)]
    assert _shares([one, two], whole, "int8").values.tolist() == [100, 100]  # without spread
