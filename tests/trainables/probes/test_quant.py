"""Quantised weights put on a model: what is rounded, what stays, and when they are the target's once more."""

import copy

import pytest
import torch
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.probes.formats import FORMATS, NF4
from trainables.probes.probe import Texts
from trainables.probes.quant import Quant, linear_weights, same_codes

TEXTS = Texts(benchmark=tiny_benchmark(), tokenizer=tiny_tokenizer())


def rounded(model: nn.Module, **settings: str) -> set[str]:
    """The names of the weights that differ under the stress."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with Quant(**settings).on(model, TEXTS):
        return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def test_linear_layers_are_rounded_and_neither_head_nor_embeddings_nor_norms() -> None:
    names = rounded(tiny_model(), format="int3")
    parts = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    assert {name.split(".")[-2] for name in names} == set(parts)
    assert len(names) == 2 * len(parts)


def test_a_head_that_is_tied_stays_with_its_embedding() -> None:
    assert not [name for name in rounded(tiny_model(tie_word_embeddings=True)) if "embed" in name or "head" in name]


def test_the_layers_of_gpt2_are_rounded_by_their_outputs() -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=40))
    layer = model.transformer.h[0].mlp.c_fc
    expected = FORMATS["int8"](layer.weight.detach().t().contiguous()).values.t()
    with Quant(format="int8").on(model, TEXTS):
        assert torch.equal(layer.weight, expected)


def test_a_weight_that_stands_twice_is_rounded_once() -> None:
    model = tiny_model()
    first, second = model.model.layers
    second.mlp.up_proj.weight = first.mlp.up_proj.weight
    assert len(linear_weights(model)) == 13


def test_a_model_without_linear_layers_is_refused() -> None:
    class Bare(nn.Module):
        def get_input_embeddings(self) -> None: ...

        def get_output_embeddings(self) -> None: ...

    with pytest.raises(ValueError, match="type Bare has no linear layer"):
        linear_weights(Bare())


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_model_has_the_codes_of_itself(name: str) -> None:
    assert same_codes(tiny_model(), tiny_model(), name) == 100


def test_two_models_that_know_nothing_of_each_other_share_few_codes() -> None:
    assert same_codes(tiny_model(0), tiny_model(1), "nf4") < 20


def test_what_stays_within_its_level_is_the_target_again() -> None:
    """The positive control: every weight moves, and none out of its cell, so rounding undoes it all."""
    target, moved = tiny_model(), tiny_model()
    within_cells(moved)
    assert not torch.equal(linear_weights(moved)[0], linear_weights(target)[0])
    assert same_codes(moved, target, "nf4") == 100
    with Quant().on(moved, TEXTS), Quant().on(target, TEXTS):
        for one, two in zip(linear_weights(moved), linear_weights(target), strict=True):
            assert torch.equal(one, two)


def within_cells(model: nn.Module) -> None:
    """Move every weight but the largest of its block half of the way to its level of nf4."""
    levels = torch.tensor(NF4)
    for weight in linear_weights(model):
        found = FORMATS["nf4"](weight)
        scales = found.scales.repeat_interleave(64)[: weight.numel()].view(weight.shape)
        weight.copy_(torch.where(weight.abs() == scales, weight, (weight + levels[found.codes.long()] * scales) / 2))


def test_the_precision_that_a_model_is_in_stays() -> None:
    model = copy.deepcopy(tiny_model()).to(torch.bfloat16)
    with Quant(format="fp4").on(model, TEXTS):
        assert {weight.dtype for weight in linear_weights(model)} == {torch.bfloat16}
