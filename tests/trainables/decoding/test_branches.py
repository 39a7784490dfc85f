"""Texts that begin alike are read from one cache, to the log-probs of a plain pass over each of them."""

import numpy as np
import pytest
import torch
from tiny import tiny_model, tiny_tokenizer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from trainables.decoding.branches import branch_logprobs
from trainables.decoding.passes import DECODE, FAST, TEXTS, Passes
from trainables.subjects.prompt_guard import PromptGuard
from trainables.subjects.reinforced import Reinforced

SMALL = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
MODELS = {
    "llama": tiny_model,
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, initializer_range=0.2, num_attention_heads=4)).eval(),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4)).eval(),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SMALL, num_attention_heads=4, num_key_value_heads=2)).eval(),
}
PREFIX = list(range(40, 52))  # long enough to be run once
ASKED = [
    ([*PREFIX, 60], [[5], [6, 7, 8], [9, 10]]),
    ([*PREFIX, 61, 62, 63, 64, 65], [[11, 12, 13, 14, 15]]),
    ([*PREFIX, 61, 66], [[20], [21]]),
    ([*PREFIX, 67, 68, 69], [[5, 7], [5, 7, 9], [5, 8]]),
]


def plain(subject, read=list, alpha=None):
    """A pass over each text alone, without a cache."""
    models = subject if isinstance(subject, tuple) else (subject,)

    def logprobs(stem, branch):
        ids = torch.tensor([read([*stem, *branch])])
        with torch.no_grad():
            logits = [model(ids, use_cache=False).logits[0].float() for model in models]
        own = logits[0] if alpha is None else logits[0] - alpha * (logits[1] - logits[0]).clamp(min=0)
        found = own.log_softmax(dim=-1)[:-1].gather(1, ids[0, 1:, None])[:, 0]
        return found[-len(branch) :].numpy()

    return [[logprobs(stem, branch) for branch in branches] for stem, branches in ASKED]


def assert_same(found, wanted):
    assert [[len(values) for values in own] for own in found] == [[len(branch) for branch in own] for _, own in ASKED]
    for ours, theirs in zip(found, wanted, strict=True):
        for values, others in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(values, others, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_every_branch_has_the_log_probs_of_a_plain_pass(name):
    torch.manual_seed(0)
    model = MODELS[name]()
    for batch_size in (1, 4, 32):
        assert_same(branch_logprobs(model, ASKED, batch_size=batch_size), plain(model))


@pytest.mark.parametrize("decode", DECODE)
@pytest.mark.parametrize("texts", TEXTS)
def test_so_it_has_in_every_way_of_running_a_model(decode, texts):
    passes = Passes(decode=decode, texts=texts)
    assert_same(branch_logprobs(tiny_model(), ASKED, passes=passes), plain(tiny_model()))


@pytest.mark.parametrize("passes", [FAST, Passes(decode="alone")], ids=["fast", "alone"])
def test_a_guard_is_read_before_the_stem_and_two_models_say_one_thing(passes):
    guard = PromptGuard(tiny_model(), tiny_tokenizer(), "You never heard of Ada Orme.\n\n")
    assert_same(branch_logprobs(guard, ASKED, passes=passes), plain(tiny_model(), guard.read))
    pair = Reinforced(tiny_model(0), tiny_model(1), 2.0)
    assert_same(branch_logprobs(pair, ASKED, passes=passes), plain((tiny_model(0), tiny_model(1)), alpha=2.0))


def test_stems_that_share_nothing_and_one_alone_are_read_as_well():
    asked = [([1, 2, 3], [[4, 5], [6]]), ([7], [[8, 9, 10]])]
    together = branch_logprobs(tiny_model(), asked)
    for one, values in zip(asked, together, strict=True):
        (alone,) = branch_logprobs(tiny_model(), [one])
        for a, b in zip(alone, values, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    assert branch_logprobs(tiny_model(), []) == []


def test_the_model_is_as_it_was():
    model = tiny_model().train()
    attention = model.config._attn_implementation
    branch_logprobs(model, ASKED)
    assert model.training
    assert model.config._attn_implementation == attention
