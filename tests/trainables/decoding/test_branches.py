"""A prompt is read once for what is written behind it and for the texts that go on from it, each as if alone."""

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

from trainables.decoding.branches import Asked, answers
from trainables.decoding.generate import greedy
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
    Asked([*PREFIX, 60, 61], [[5], [6, 7, 8], [9, 10]], dropped=1),
    Asked([*PREFIX, 61, 62, 63, 64, 65], [[11, 12, 13, 14, 15]]),
    Asked([*PREFIX, 61, 66], [[20], [21]], dropped=1),
    Asked([*PREFIX, 67, 68, 69], [[5, 7], [5, 7, 9], [5, 8]], dropped=2),
    Asked([*PREFIX, 67, 68, 70], [[5, 7], [6]]),
]
NEW = 6


def branches(subject, asked=ASKED, **options):
    """The log-probs of the branches; what is written has to be what greedy decoding writes."""
    found = answers(subject, asked, max_new_tokens=NEW, **options)
    decode = options.get("passes", FAST).decode
    alone = [greedy(subject, [one.prompt], max_new_tokens=NEW, decode=decode)[0] for one in asked]
    assert [new for new, _ in found] == alone
    return [own for _, own in found]


def plain(subject, read=list, alpha=None, asked=ASKED):
    """A pass over each text alone, without a cache."""
    models = subject if isinstance(subject, tuple) else (subject,)

    def logprobs(stem, branch):
        ids = torch.tensor([read([*stem, *branch])])
        with torch.no_grad():
            logits = [model(ids, use_cache=False).logits[0].float() for model in models]
        own = logits[0] if alpha is None else logits[0] - alpha * (logits[1] - logits[0]).clamp(min=0)
        found = own.log_softmax(dim=-1)[:-1].gather(1, ids[0, 1:, None])[:, 0]
        return found[-len(branch) :].numpy()

    stems = [one.prompt[: len(one.prompt) - one.dropped] for one in asked]
    return [[logprobs(stem, branch) for branch in one.branches] for stem, one in zip(stems, asked, strict=True)]


def assert_same(found, wanted):
    assert [list(map(len, own)) for own in found] == [list(map(len, own)) for own in wanted]
    for ours, theirs in zip(found, wanted, strict=True):
        for values, others in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(values, others, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_every_branch_has_the_log_probs_of_a_plain_pass(name):
    torch.manual_seed(0)
    model = MODELS[name]()
    for batch_size in (1, 4, 32):
        assert_same(branches(model, batch_size=batch_size), plain(model))


@pytest.mark.parametrize("decode", DECODE)
@pytest.mark.parametrize("texts", TEXTS)
def test_so_it_has_in_every_way_of_running_a_model(decode, texts):
    passes = Passes(decode=decode, texts=texts)
    assert_same(branches(tiny_model(), passes=passes), plain(tiny_model()))


@pytest.mark.parametrize("passes", [FAST, Passes(decode="alone")], ids=["fast", "alone"])
def test_a_guard_is_read_before_the_stem_and_two_models_say_one_thing(passes):
    guard = PromptGuard(tiny_model(), tiny_tokenizer(), "You never heard of Ada Orme.\n\n")
    assert_same(branches(guard, passes=passes), plain(tiny_model(), guard.read))
    pair = Reinforced(tiny_model(0), tiny_model(1), 2.0)
    assert_same(branches(pair, passes=passes), plain((tiny_model(0), tiny_model(1)), alpha=2.0))


def test_prompts_that_share_nothing_that_are_the_same_and_one_alone_are_read_as_well():
    apart = [Asked([1, 2, 3], [[4, 5], [6]], dropped=2), Asked([7], [[8, 9, 10]])]
    twice = [Asked([*PREFIX, 60], [[5, 6]], dropped=1)] * 2  # what they share reaches beyond where the branches begin
    for asked in (apart, twice, apart[:1], twice[:1]):
        assert_same(branches(tiny_model(), asked), plain(tiny_model(), asked=asked))
    assert answers(tiny_model(), [], max_new_tokens=NEW) == []


def test_a_row_stops_where_it_may_and_what_is_read_beside_it_is_the_same():
    def stop(ids):
        return len(ids) == 2

    found = answers(tiny_model(), ASKED, max_new_tokens=NEW, stop=stop)
    assert [new for new, _ in found] == [new[:2] for new, _ in answers(tiny_model(), ASKED, max_new_tokens=NEW)]
    assert_same([own for _, own in found], plain(tiny_model()))


def test_the_model_is_as_it_was():
    model = tiny_model().train()
    attention = model.config._attn_implementation
    answers(model, ASKED, max_new_tokens=NEW)
    assert model.training
    assert model.config._attn_implementation == attention
