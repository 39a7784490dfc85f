"""Adapters: a low-rank matrix beside each one of attention and MLP, alone trained, and in a candidate's weights."""

import pytest
import torch
from tiny import tiny_model, tiny_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.failures import NoSuchWeights
from trainables.method import Candidate, Evaluated
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.npo import NPOGDR
from trainables.methods.rmu import RMU
from trainables.methods.task_vector import TaskVector
from trainables.runs.resume import _parts
from trainables.subjects.models import load_model, outline, save_model
from trainables.training.adapters import adapters, inject
from trainables.training.mixing import merged
from trainables.training.optimizers import make_optimizer
from trainables.training.teacher import make_teacher
from trainables.training.trainable import check_weights, choose, trainable_parameters

ROWS = torch.tensor([[0, 7, 11, 5, 30], [0, 9, 40, 8, 3]])
FORGET, RETAIN = [[0, 5, 6, 7], [0, 8, 9, 10, 11]], [[0, 20, 21], [0, 22, 23, 24]]


def with_adapters(rank: int = 2, scale: float = 2.0, seed: int = 0, model=None):
    """A tiny model with adapters, which has not been trained."""
    model = model or tiny_model()
    choose(model, f"lora:{rank}:{scale}", seed)
    return model


def moved(model):
    """The model after each of its adapters got some B."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _, _, layer in adapters(model):
            weight = layer.lora_B["default"].weight
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return model


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(ROWS).logits


def test_a_model_with_new_adapters_is_the_target_to_the_bit_as_it_runs_and_as_it_is_saved():
    model, target = with_adapters(), tiny_model()
    assert torch.equal(logits(model), logits(target))
    with merged(model):
        held = model.state_dict()
        assert held.keys() == target.state_dict().keys()
        assert all(torch.equal(weight, held[name]) for name, weight in target.state_dict().items())


def test_every_matrix_of_attention_and_mlp_has_one_and_head_embeddings_and_norms_have_none():
    names = {name for _, name, _ in adapters(with_adapters())}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert len(adapters(with_adapters())) == 2 * len(names)


def test_only_adapters_are_trained_and_they_have_as_many_numbers_as_their_rank_says():
    model = with_adapters(rank=3)
    sizes = [w.in_features + w.out_features for _, _, w in adapters(model)]
    assert sum(p.numel() for p in trainable_parameters(model)) == 3 * sum(sizes)
    assert all("lora_" in name for name, p in model.named_parameters() if p.requires_grad)


def test_a_merged_matrix_is_w_plus_scale_times_b_a_and_w_comes_back_to_the_bit():
    model = moved(with_adapters(scale=0.5))
    layer = model.model.layers[1].mlp.down_proj
    before = layer.base_layer.weight.clone()
    by_hand = before + 0.5 * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    with merged(model):
        torch.testing.assert_close(model.model.layers[1].mlp.down_proj.weight, by_hand)
    assert model.model.layers[1].mlp.down_proj is layer
    assert torch.equal(layer.base_layer.weight, before)


def test_a_merged_model_gives_the_logits_of_the_one_with_adapters():
    model = moved(with_adapters())
    beside = logits(model)
    with merged(model):
        inside = logits(model)
    torch.testing.assert_close(inside, beside, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(inside, logits(tiny_model()), atol=1e-2)


def test_weights_come_back_also_where_whoever_looks_at_a_candidate_fails():
    model = moved(with_adapters())
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with pytest.raises(RuntimeError, match="scoring"), merged(model):
        raise RuntimeError("scoring")
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_a_rank_as_large_as_the_matrix_reaches_every_change_of_it():
    wanted = {}
    model = with_adapters(rank=32, scale=1.0)
    with torch.no_grad():
        for number, (_, _, layer) in enumerate(adapters(model)):
            a, weight = layer.lora_A["default"].weight, layer.base_layer.weight
            wanted[number] = torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
            if weight.shape[1] > 32:  # A has fewer rows than columns: reached from the other side
                b = torch.eye(weight.shape[0])
                a.copy_(wanted[number])
            else:
                b = wanted[number] @ torch.linalg.inv(a.double()).float()
            layer.lora_B["default"].weight.copy_(b)
    target = with_adapters(rank=32, scale=1.0)
    with merged(model):
        pairs = zip(adapters(target), wanted.values(), strict=True)
        found = dict(model.named_parameters())
        for (holder, name, layer), change in pairs:
            prefix = next(path for path, module in target.named_modules() if module is holder)
            got = found[f"{prefix}.{name}.weight"] - layer.base_layer.weight
            torch.testing.assert_close(got, change, rtol=1e-3, atol=1e-3)


def test_adapters_are_drawn_by_the_seed_and_leave_no_trace_in_what_is_drawn_after():
    torch.manual_seed(5)
    untouched = torch.rand(3)
    torch.manual_seed(5)
    one, other, third = with_adapters(seed=1), with_adapters(seed=1), with_adapters(seed=2)
    assert torch.equal(torch.rand(3), untouched)
    drawn = [model.model.layers[0].mlp.up_proj.lora_A["default"].weight for model in (one, other, third)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert drawn[0].abs().max() <= 32**-0.5  # Kaiming's bound: 1 / sqrt(width)


def test_a_teacher_has_adapters_of_its_own_and_shares_every_other_weight():
    student = with_adapters()
    teacher = make_teacher(student)
    for (name, mine), (_, other) in zip(student.named_parameters(), teacher.named_parameters(), strict=True):
        assert (mine is other) == ("lora_" not in name)


def test_of_the_layers_of_gpt2_whose_matrices_lie_transposed_the_same_holds():
    config = GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=300)
    torch.manual_seed(0)
    model = GPT2LMHeadModel(config).eval()
    before = logits(model)
    with_adapters(model=model)
    assert torch.equal(logits(model), before)
    beside = logits(moved(model))
    with merged(model):
        torch.testing.assert_close(logits(model), beside, rtol=1e-4, atol=1e-4)


def test_a_model_without_such_a_layer_is_refused_in_a_line():
    model = tiny_model().requires_grad_(False)
    with pytest.raises(
        NoSuchWeights, match=r"lora_rank must be 0: LlamaForCausalLM has no layer that takes an adapter"
    ):
        inject(model, 2, 1.0, 0)


def test_several_settings_are_held_against_one_outline_which_stays_as_it_is():
    model = outline(tiny_model().config)
    names = list(dict(model.named_parameters()))
    for rank in (2, 4):
        check_weights(model, NPOGDR(lora_rank=rank), NPOGDR(lora_rank=rank).trainable)
    assert list(dict(model.named_parameters())) == names


@pytest.mark.parametrize("settings", [RMU, TaskVector])
def test_a_method_that_takes_no_adapters_says_so_at_once(settings):
    with pytest.raises(ValueError, match=r"lora_rank is 2: it must be 0"):
        settings(lora_rank=2)


def test_adapters_and_embeddings_are_not_trained_together():
    with pytest.raises(ValueError, match="freeze is false and lora_rank 4: adapters leave all else as it is"):
        NPOGDR(lora_rank=4, freeze=False)


def test_a_candidate_with_adapters_is_saved_as_an_ordinary_model_that_gives_its_logits(tmp_path):
    settings = MeanTeacher(lora_rank=2, steps=2, eval_every=2, lr=0.5)
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2):
        if isinstance(record, Candidate):
            save_model(record.subject, tiny_tokenizer(), tmp_path / record.role)
            assert torch.equal(logits(load_model(tmp_path / record.role)), logits(record.subject))
            assert not torch.equal(logits(record.subject), logits(tiny_model()))


def test_behind_a_run_the_model_is_an_ordinary_one_with_the_weights_of_its_last_candidate():
    model, last = tiny_model(), {}
    for record in unlearn(model, FORGET, RETAIN, MeanTeacher(lora_rank=2, steps=2, eval_every=2, lr=0.5), pad=2):
        if isinstance(record, Candidate):
            last[record.role] = (record.subject, logits(record.subject))
    assert model.state_dict().keys() == tiny_model().state_dict().keys()
    assert torch.equal(logits(model), last["student"][1])
    teacher, given = last["teacher"]
    torch.testing.assert_close(logits(teacher), given, rtol=1e-4, atol=1e-4)


def test_the_state_of_a_run_holds_adapters_and_nothing_else():
    settings, seen = MeanTeacher(lora_rank=2, steps=2, eval_every=1), 0
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2):
        if isinstance(record, Evaluated) and record.state:
            parts, seen = _parts(record.state), seen + 1
            assert all("lora_" in name for role in ("student", "teacher") for name in parts[role])
            assert len(parts["student"]) == len(parts["teacher"]) == 2 * len(adapters(with_adapters()))
    assert seen == 1


def test_weight_decay_pulls_to_the_target():
    pulled = moved(with_adapters())
    settings = NPOGDR(lora_rank=2, lr=0.1, weight_decay=5.0, warmup_steps=0)
    optimizer = make_optimizer(trainable_parameters(pulled), settings)
    for parameter in trainable_parameters(pulled):
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for (_, _, near), (_, _, far) in zip(adapters(pulled), adapters(moved(with_adapters())), strict=True):
        torch.testing.assert_close(near.get_delta_weight("default"), 0.25 * far.get_delta_weight("default"))


def test_a_plan_of_adapters_takes_no_memory():
    with torch.device("meta"):
        outline = tiny_model()
    inject(outline, rank=2**10, scale=1.0, seed=0)
    assert {parameter.device.type for parameter in outline.parameters()} == {"meta"}
