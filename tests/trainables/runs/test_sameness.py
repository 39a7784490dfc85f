"""A subject has the hash of another exactly where both are the same, to the bit, in all that their files hold."""

import copy

import pytest
import torch
from tiny import tiny_model, tiny_tokenizer

from trainables.runs import sameness
from trainables.runs.sameness import bits_of
from trainables.subjects.prompt_guard import PromptGuard
from trainables.subjects.reinforced import Reinforced
from trainables.world import ALONE, World

MODEL = tiny_model()


def flip_two_signs(weight):
    weight[0, :2] *= -1


def swap_two(weight):
    weight[0, :2] = weight[0, [1, 0]].clone()


def move_one(weight):
    weight[-1, -1] = torch.nextafter(weight[-1, -1], torch.tensor(9.0))


def zero_s_sign(weight):
    weight[0, 0] = -0.0


@pytest.mark.parametrize("piece", [7, 2**20])
@pytest.mark.parametrize("change", [flip_two_signs, swap_two, move_one, zero_s_sign])
def test_a_copy_is_the_same_and_one_whose_bits_differ_is_not(change, piece, monkeypatch):
    monkeypatch.setattr(sameness, "PIECE", piece)
    sameness._factors.cache_clear()
    one, other = copy.deepcopy(MODEL), copy.deepcopy(MODEL)
    for model in (one, other):
        model.model.layers[0].mlp.up_proj.weight.data[0, 0] = 0.0
    assert bits_of(one, ALONE) == bits_of(other, ALONE)
    with torch.no_grad():
        change(other.model.layers[0].mlp.up_proj.weight)
    assert bits_of(one, ALONE) != bits_of(other, ALONE)
    sameness._factors.cache_clear()


def test_what_a_subject_reads_and_how_strong_it_is_count_as_its_weights_do():
    guards = [PromptGuard(MODEL, tiny_tokenizer(), text) for text in ("", "Say nothing.", "Say nothing.")]
    pairs = [Reinforced(MODEL, tiny_model(1), alpha) for alpha in (0.5, 1.0)]
    found = [bits_of(subject, ALONE) for subject in (MODEL, *guards, *pairs)]
    assert len(set(found)) == 5
    assert found[2] == found[3]


def test_of_several_workers_each_one_s_part_counts():
    class Two(World):
        def share_out(self, function, items):
            parts = [function([items[rank]]) for rank in (0, 1)]
            return [mine for part in parts for mine in part]

    assert bits_of(MODEL, Two(0, 2)) == bits_of(MODEL, ALONE) * 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.int64, torch.int8, torch.bool])
def test_weights_of_any_precision_count_and_stay_as_they_are(dtype):
    weight = torch.ones(3, 5, dtype=dtype)
    two = weight.clone()
    two[0, 1], two[1, 1] = -1, -1  # the highest bits, which cancel where they are added up
    one = weight.clone()
    one[1, 1] = 0
    found = [sameness._sums(tensor).item() for tensor in (weight, weight.clone(), one, two)]
    assert found[0] == found[1]
    assert len(set(found)) == (2 if dtype == torch.bool else 3)
    assert torch.equal(weight, torch.ones(3, 5, dtype=dtype))
