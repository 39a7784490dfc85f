"""RMU turns hidden states behind one block, by the specification's numbers, and computes nothing behind it."""

import pytest
import torch
from tiny import tiny_model

from trainables.losses.activations import apart, random_direction, towards
from trainables.method import Candidate, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.rmu import RMU, AdaptiveRMU
from trainables.training.data import sample_indices
from trainables.training.hidden import behind_block
from trainables.training.trainable import blocks_of, choose

HIDDEN = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
U = torch.full((4,), 0.5)
IDS = torch.tensor([[0, 5, 9, 7, 4], [0, 3, 8, 2, 2]])
ATTENTION = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def test_the_forget_loss_is_the_specification_s_number():
    assert towards(HIDDEN, U, 2.0).item() == pytest.approx(0.75)
    assert towards(HIDDEN, U, 5.0 * HIDDEN.norm().item()).item() == pytest.approx(5.25)  # adaptive, beta 5


def test_what_is_kept_is_0_at_the_start_and_the_mean_square_distance_later():
    assert apart(HIDDEN, HIDDEN).item() == 0
    assert apart(HIDDEN, torch.zeros(1, 1, 4)).item() == pytest.approx(0.25)


def test_a_direction_is_a_unit_vector_in_one_orthant_of_its_seed_alone():
    u = random_direction(32, seed=1)
    assert u.norm().item() == pytest.approx(1.0)
    assert (u >= 0).all()
    assert torch.equal(u, random_direction(32, seed=1))
    assert not torch.equal(u, random_direction(32, seed=2))


@pytest.mark.parametrize("number", [0, 1])
def test_hidden_states_behind_a_block_are_those_of_a_whole_pass(number):
    model = tiny_model()
    whole = model(input_ids=IDS, attention_mask=ATTENTION, output_hidden_states=True).hidden_states
    found = behind_block(model, number)(model, IDS, ATTENTION)
    expected = whole[number + 1] if number == 0 else None  # transformers normalises the last
    seen = []
    handle = blocks_of(model)[number].register_forward_hook(lambda module, given, out: seen.append(out))
    model(input_ids=IDS, attention_mask=ATTENTION)
    handle.remove()
    out = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    assert torch.equal(found, out[:, 1:])
    assert expected is None or torch.equal(found, expected[:, 1:])


def test_blocks_behind_the_layer_are_not_computed_and_are_there_again_afterwards():
    model, calls = tiny_model(num_hidden_layers=3), []
    for number, block in enumerate(blocks_of(model)):
        block.register_forward_hook(lambda *_, number=number: calls.append(number))
    behind_block(model, 1)(model, IDS, ATTENTION)
    assert calls == [0, 1]
    assert len(blocks_of(model)) == 3
    assert model(input_ids=IDS).logits.shape == (2, 5, model.config.vocab_size)


def test_a_layer_that_the_model_has_not_is_told_by_its_number():
    with pytest.raises(ValueError, match="^layer is 7: the model has 2 blocks, from 0$"):
        behind_block(tiny_model(), 7)
    with pytest.raises(ValueError, match="^block 7 is to be trained, and the model has 2 blocks, from 0$"):
        choose(tiny_model(), needs_of(RMU(layer=7)).trainable)


@pytest.mark.parametrize(("layer", "trained"), [(0, "0"), (1, "0,1"), (2, "0,1,2"), (3, "1,2,3")])
def test_down_proj_of_three_blocks_up_to_the_layer_is_trained(layer, trained):
    assert needs_of(RMU(layer=layer)).trainable == f"down_proj:{trained}"


each_form = pytest.mark.parametrize("form", [RMU, AdaptiveRMU])


@each_form
def test_retain_text_costs_nothing_at_the_start_and_padding_counts_for_nothing(form):
    sequences = [[0, 5, 9, 7, 4], [0, 3]]
    settings = form(layer=1, steps=1, eval_every=1, batch_size=8)
    records = list(unlearn(tiny_model(), sequences, sequences, settings, pad=2))
    first = next(record for record in records if isinstance(record, Step))
    assert first.values["retain_loss"] == 0
    assert first.values["forget_loss"] == pytest.approx(slow_forget_loss(sequences, settings), rel=1e-5)
    assert sum(isinstance(record, Candidate) for record in records) == 1


@each_form
def test_without_a_weight_on_retain_text_no_copy_of_the_target_is_made(monkeypatch, form):
    monkeypatch.setattr("trainables.training.teacher.make_teacher", None)
    settings = form(layer=1, steps=1, alpha=0.0)
    (step, *_) = unlearn(tiny_model(), [[0, 5, 9, 7, 4], [0, 3]], [[0, 3]], settings, pad=2)
    assert step.values["forget_loss"] == pytest.approx(slow_forget_loss([[0, 5, 9, 7, 4], [0, 3]], settings), rel=1e-5)
    assert step.values["retain_loss"] == 0


def costs(settings, layers: int) -> list[float]:
    records = unlearn(tiny_model(num_hidden_layers=layers), [[0, 5, 9]], [[0, 3]], settings, pad=2)
    return [record.cost for record in records if isinstance(record, Step)]


@pytest.mark.parametrize(("alpha", "passes"), [(1.0, 3 + 4), (0.0, 3)])
@pytest.mark.parametrize(("layer", "layers", "share"), [(1, 2, 1), (0, 2, 1 / 2), (2, 4, 3 / 4)])
def test_a_step_costs_the_share_of_the_blocks_that_its_passes_go_through(alpha, passes, layer, layers, share):
    settings = {"layer": layer, "steps": 3, "batch_size": 5, "alpha": alpha}
    step = 5 * passes * share
    assert costs(RMU(**settings), layers) == [step] * 3
    assert costs(AdaptiveRMU(**settings), layers) == [step + 5 * share, step, step]  # with the pass for the length


def test_the_fixed_length_is_found_by_no_pass(monkeypatch):
    monkeypatch.setattr("trainables.methods.rmu._mean_norm", None)
    assert len(costs(RMU(layer=1, steps=1), 2)) == 1


def test_the_two_are_one_method_where_their_lengths_are_the_same():
    texts = [[0, 5, 9, 7, 4], [0, 3, 8]], [[0, 3, 6, 2]]
    common = {"layer": 1, "steps": 3, "batch_size": 4}
    model = tiny_model()
    rows = sample_indices(2, size=4, seed=0, stream=0, step=1)
    own = torch.cat([behind_block(model, 1)(model, torch.tensor([texts[0][row]]), None)[0] for row in rows])
    fixed, adaptive = RMU(rmu_c=5 * own.norm(dim=-1).mean().item(), **common), AdaptiveRMU(rmu_beta=5.0, **common)
    found = [
        [r.values for r in unlearn(tiny_model(), *texts, s, pad=2) if isinstance(r, Step)] for s in (fixed, adaptive)
    ]
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, rel=1e-4)


def slow_forget_loss(sequences, settings) -> float:
    """One sequence at a time, so that nothing is padded: the length, and the mean over tokens and numbers."""
    rows = sample_indices(len(sequences), size=settings.batch_size, seed=settings.seed, stream=0, step=1)
    model = tiny_model()
    forward = behind_block(model, settings.layer)
    states = [forward(model, torch.tensor([ids]), torch.ones(1, len(ids))) for ids in sequences]
    batch = torch.cat([states[row][0] for row in rows])
    own = batch.norm(dim=-1).mean()
    length = settings.rmu_beta * own if isinstance(settings, AdaptiveRMU) else settings.rmu_c
    return (batch - length * random_direction(batch.shape[-1], seed=settings.seed)).square().mean().item()
