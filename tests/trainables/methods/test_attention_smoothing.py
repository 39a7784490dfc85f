"""Attention smoothing: the teacher's attention is the target's to the power of 1 / tau, and at 1 there is nothing to learn."""

import pytest
import torch
from tiny import tiny_model
from transformers import GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, MambaConfig, MambaForCausalLM

from trainables.failures import NoSuchWeights
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.training.attention import smoothed
from trainables.training.descend import to_logits

IDS = torch.tensor([[0, 5, 9, 7, 4, 8]])
FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3, 8]], [[0, 8, 6], [0, 11, 12, 13]]
SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
MODELS = {
    "llama": tiny_model,
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**SMALL, bos_token_id=0, eos_token_id=1, initializer_range=0.2)).eval(),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, intermediate_size=64, initializer_range=0.2)).eval(),
}
ALL = {"steps": 1, "eval_every": 1, "batch_size": 2, "sampling": "cyclic", "warmup_steps": 0, "retain_term": "none"}


def run(**changes) -> list:
    settings = find_method("attention_smoothing").settings(**(ALL | changes))
    return list(unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2))


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_a_layer_s_attention_logits_are_divided_by_tau(kind):
    model = MODELS[kind]()
    model.set_attn_implementation("eager")
    seen = []
    for tau in (1.0, 2.5):
        model_forward = smoothed(tau)
        hook = model.register_forward_hook(lambda module, given, out: seen.append(out.attentions))
        model.config.output_attentions = True
        model_forward(model, IDS, None)
        hook.remove()
    plain, flat = (attentions[0] for attentions in seen)  # of the first layer, whose input is the same
    wanted = (plain.log() / 2.5).softmax(-1)
    assert torch.allclose(flat, wanted, atol=1e-6)
    assert not torch.allclose(flat, plain, atol=1e-3)


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_at_tau_1_a_pass_has_the_bits_of_a_plain_one_and_behind_any_the_model_is_as_it_was(kind):
    model = MODELS[kind]()
    plain = to_logits(model, IDS, None)
    assert torch.equal(smoothed(1.0)(model, IDS, None), plain)
    assert not torch.allclose(smoothed(3.0)(model, IDS, None), plain, atol=1e-3)
    assert torch.equal(to_logits(model, IDS, None), plain)


@torch.no_grad()
def test_the_first_step_s_loss_is_the_plain_divergence_of_the_smoothed_target():
    values, model = [], tiny_model()
    for ids in FORGET:
        row = torch.tensor([ids])
        p = smoothed(3.0)(model, row, None)[0].double().log_softmax(-1)
        q = model(row).logits[0, :-1].double().log_softmax(-1)
        values += (p.exp() * (p - q)).sum(-1).tolist()
    (step,) = (record for record in run() if isinstance(record, Step))
    assert step.values["forget_loss"] == pytest.approx(sum(values) / len(values), rel=1e-4)
    assert step.cost == 4 * 2


def test_at_tau_1_the_target_keeps_its_weights():
    found = run(tau=1.0, optimizer="sgd", lr=0.1)
    (step,) = (record for record in found if isinstance(record, Step))
    assert step.values["forget_loss"] == pytest.approx(0.0, abs=1e-6)
    (candidate,) = (record for record in found if isinstance(record, Candidate))
    before = tiny_model().state_dict()
    for name, weight in candidate.subject.state_dict().items():
        assert torch.allclose(weight, before[name], atol=1e-6)


def test_one_copy_of_the_target_serves_both_terms_and_on_retain_text_it_is_not_smoothed():
    needed = needs_of(find_method("attention_smoothing").settings(retain_term="klr"))
    assert (needed.frozen, needed.scored) == (True, 1)
    (step,) = (record for record in run(retain_term="klr") if isinstance(record, Step))
    assert step.values["retain_loss"] == pytest.approx(0.0, abs=1e-6)


def test_a_model_without_attention_is_refused_in_one_line():
    model = MambaForCausalLM(MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=1, state_size=8))
    settings = find_method("attention_smoothing").settings(**ALL)
    with pytest.raises(NoSuchWeights, match="^MambaForCausalLM has no attention whose logits have a factor"):
        list(unlearn(model, FORGET, RETAIN, settings, pad=2))
