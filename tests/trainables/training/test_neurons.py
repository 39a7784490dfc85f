"""Neurons: what each gives to an answer beside a plain derivative, which are kept, and which weights are theirs."""

import pytest
import torch
from tiny import tiny_model

from trainables.failures import NoSuchWeights
from trainables.settings import NEURONS
from trainables.training.neurons import contributions, top_neurons, weights_of_neurons
from trainables.training.trainable import choose, layers_of_neurons, trainable_parameters

IDS, LEADING = [0, 5, 9, 7, 4, 1], 2  # the answer is 7, 4, 1, behind 0, 5, 9


def answer_of(model) -> float:
    with torch.no_grad():
        log_p = model(torch.tensor([IDS])).logits[0].double().log_softmax(-1)
    return sum(log_p[place - 1, IDS[place]].item() for place in range(1 + LEADING, len(IDS)))


@pytest.mark.parametrize("neuron", [0, 17, 63])
@pytest.mark.parametrize("block", [0, 1])
def test_a_contribution_is_activation_times_a_plain_difference_quotient(block, neuron):
    found, model, step = contributions(tiny_model(), IDS, LEADING), tiny_model(), 1e-2
    down = layers_of_neurons(model)[block][0]

    def with_more(place: int, change: float) -> tuple[float, float]:
        seen = []

        def shift(module, given):
            hidden = given[0].clone()
            seen.append(hidden[0, place, neuron].item())
            hidden[0, place, neuron] += change
            return (hidden,)

        handle = down.register_forward_pre_hook(shift)
        value = answer_of(model)
        handle.remove()
        return value, seen[0]

    expected = []
    for place in range(LEADING, len(IDS) - 1):  # the positions that predict the answer
        (more, hidden), (less, _) = with_more(place, step), with_more(place, -step)
        expected.append(hidden * (more - less) / (2 * step))
    assert found[block, neuron].item() == pytest.approx(max(expected), rel=0.02, abs=1e-4)


def test_it_is_the_same_whatever_of_the_model_takes_a_gradient():
    frozen = tiny_model()
    frozen.requires_grad_(False)
    assert torch.allclose(contributions(frozen, IDS, LEADING), contributions(tiny_model(), IDS, LEADING), atol=1e-6)


def test_the_largest_are_kept_the_earlier_of_two_that_are_alike_and_one_at_least():
    values = torch.tensor([[0.5, -1.0, 0.5], [2.0, 0.1, 0.5]])
    assert top_neurons(values, 0.5).tolist() == [[True, False, True], [True, False, False]]
    assert top_neurons(values, 1e-9).tolist() == [[False] * 3, [True, False, False]]
    assert bool(top_neurons(values, 1.0).all())


def test_the_weights_of_a_neuron_are_a_row_of_what_makes_it_and_a_column_of_what_reads_it():
    model = tiny_model(mlp_bias=True)
    choose(model, NEURONS)
    marks = torch.zeros(2, 64, dtype=torch.bool)
    marks[1, 7] = True
    names = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert all(".mlp." in name and name != "down_proj.bias" for name in names)
    kept = dict(zip(names, weights_of_neurons(model, marks), strict=True))
    for name, weight in zip(names, trainable_parameters(model), strict=True):
        expected = torch.zeros(weight.shape, dtype=torch.bool)
        if "layers.1" in name:
            expected[(slice(None), 7) if "down_proj" in name else 7] = True
        assert torch.equal(kept[name], expected)
    assert not any("down_proj.bias" in name for name in names)


def test_a_model_without_such_layers_is_refused_in_one_line():
    model = tiny_model()
    for block in model.model.layers:
        del block.mlp.down_proj
    with pytest.raises(
        NoSuchWeights, match="block 0 of LlamaForCausalLM has no down_proj whose neurons could be found"
    ):
        choose(model, NEURONS)
