"""The lens: behind the last block it is the model itself, whatever that has there, and behind others its end alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny import tiny_model
from tiny_subjects import texts
from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM

from trainables.decoding.log_probs import token_logprobs
from trainables.probes import parse_probe
from trainables.probes.lens import check_end, lens, logits_behind
from trainables.probes.perturbing import Answer
from trainables.probes.states import outputs
from trainables.scores.answer_prob import answer_prob

SMALL = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 32, "num_attention_heads": 2}
WIDE = {"initializer_range": 0.5}
FAMILIES = {
    "llama": lambda: tiny_model(1),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, **WIDE)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, **WIDE)),
    "gemma2, whose logits are capped": lambda: Gemma2ForCausalLM(
        Gemma2Config(**SMALL, **WIDE, num_key_value_heads=1, head_dim=8, final_logit_softcapping=2.0)
    ),
}
ANSWERS = [Answer("", "", ids, begin) for ids, begin in (([3, 5, 9, 40, 7], 3), ([3, 33, 8], 2), ([3, 12, 4, 6], 1))]


@pytest.fixture(params=FAMILIES)
def model(request):
    torch.manual_seed(0)
    return FAMILIES[request.param]().eval()


def test_behind_the_last_block_it_is_the_model_s_own(model):
    found, first = lens(model, ANSWERS, batch_size=2)
    for i, (one, own) in enumerate(zip(ANSWERS, found, strict=True)):
        (known,) = token_logprobs(model, [one.ids])
        assert own[-1] == pytest.approx(known[one.begin - 1 :], abs=1e-4)
        with torch.no_grad():
            said = model(torch.tensor([one.ids])).logits[0, one.begin - 1].argmax()
        assert first[-1, i] == float(said == one.ids[one.begin])


def test_behind_the_first_block_it_is_the_norm_and_the_head_of_a_llama():
    model = tiny_model(1)
    with torch.no_grad():
        states = outputs(model, torch.tensor([[3, 5, 9]]), lambda out: out[0])[0]
        by_hand = model.lm_head(model.model.norm(states))
        assert torch.allclose(logits_behind(model, states), by_hand, atol=1e-5)


def test_a_model_whose_end_is_no_function_of_a_state_is_refused_in_a_line(monkeypatch):
    model, calls = tiny_model(1), []
    forward = model.forward

    def drifting(*given, **options):
        calls.append(1)
        out = forward(*given, **options)
        return SimpleNamespace(logits=out.logits + 9.0 * len(calls))

    monkeypatch.setattr(model, "forward", drifting)
    with torch.no_grad(), pytest.raises(ValueError, match="the end of a LlamaForCausalLM cannot be read behind"):
        check_end(model)


def test_the_best_block_is_no_worse_than_any_and_the_end_is_answer_prob():
    model, trace = tiny_model(1), parse_probe("logit_lens:most=20")
    found = {name: items.values for name, items in trace.read(model, texts(), None).items()}
    for name in ("quarter", "half", "late", "end"):
        assert (found["lens_f"] >= found[f"lens_{name}_f"]).all()
    assert set(np.unique(found["lens_top_f"])) <= {0.0, 100.0}
    rows = texts().benchmark.rows("knowmem", "forget_qa")[:20]
    assert len(found["lens_end_f"]) == len(rows)


def test_an_answer_s_value_is_the_mean_of_its_tokens_and_nothing_else():
    alone, _ = lens(tiny_model(1), ANSWERS[:1])
    beside, _ = lens(tiny_model(1), ANSWERS, batch_size=3)
    assert [answer_prob(own) for own in beside[0]] == pytest.approx([answer_prob(own) for own in alone[0]], abs=1e-6)
