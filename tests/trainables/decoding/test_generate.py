"""Batched greedy decoding gives the token ids of one prompt at a time."""

import pytest
import torch
from tiny import tiny_model
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from trainables.decoding.generate import common_prefix, greedy
from trainables.subjects.tokenizers import end_tokens


def random_prompts(lengths, *, prefix=0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shared = torch.randint(3, 300, (prefix,), generator=generator).tolist()
    return [shared + torch.randint(3, 300, (n,), generator=generator).tolist() for n in lengths]


def one_by_one(model, prompts, max_new_tokens):
    outputs = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=2,
        )
        outputs.append(out[0, len(prompt) :].tolist())
    return outputs


def ending_model(seed=0, **overrides):
    """A model for which several common tokens end a row, so that rows end at different lengths."""
    model = tiny_model(seed, **overrides)
    model.generation_config.eos_token_id = list(range(1, 300, 12))
    return model


PROMPTS = random_prompts([1, 2, 3, 7, 40, 41, 5, 90, 12, 12])


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_ids_equal_those_of_generate_one_prompt_at_a_time(batch_size):
    model = tiny_model()
    assert greedy(model, PROMPTS, max_new_tokens=20, batch_size=batch_size) == one_by_one(model, PROMPTS, 20)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_rows_that_end_early_leave_the_others_untouched(batch_size):
    model = ending_model()
    want = one_by_one(model, PROMPTS, 40)
    assert len({len(ids) for ids in want}) > 3, "the model must end at different lengths"
    assert greedy(model, PROMPTS, max_new_tokens=40, batch_size=batch_size) == want


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_a_shared_prefix_run_once_changes_no_id(batch_size):
    model = ending_model(1)
    prompts = random_prompts([1, 4, 30, 2, 9, 9], prefix=50)
    assert common_prefix(prompts) == 50
    assert greedy(model, prompts, max_new_tokens=30, batch_size=batch_size) == one_by_one(model, prompts, 30)


def test_a_prompt_that_is_the_whole_prefix_keeps_one_token_to_continue():
    model, (prompt,) = tiny_model(), random_prompts([20])
    prompts = [prompt, [*prompt, 5, 6], prompt]
    assert common_prefix(prompts) == 19
    assert greedy(model, prompts, max_new_tokens=8) == one_by_one(model, prompts, 8)


FAMILIES = {
    "gpt2": (
        GPT2LMHeadModel,
        GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4, initializer_range=0.2),
    ),
    "gpt_neox": (
        GPTNeoXForCausalLM,
        GPTNeoXConfig(
            vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
            initializer_range=0.2,
        ),
    ),
    # With a window shorter than the prompts: the general path, transformers' own attention.
    "mistral": (
        MistralForCausalLM,
        MistralConfig(
            vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=64, sliding_window=16, initializer_range=0.2,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("prefix", [0, 12, 40])
def test_other_families_decode_to_the_same_ids(family, prefix):
    kind, config = FAMILIES[family]
    torch.manual_seed(0)
    model = kind(config).eval()
    model.generation_config.eos_token_id = list(range(1, 300, 20))
    prompts = random_prompts([3, 9, 1, 30], prefix=prefix)
    assert greedy(model, prompts, max_new_tokens=12, batch_size=3) == one_by_one(model, prompts, 12)


def test_a_stop_ends_a_row_where_it_says_so():
    model = tiny_model()
    full = greedy(model, PROMPTS, max_new_tokens=12)
    stopped = greedy(model, PROMPTS, max_new_tokens=12, batch_size=3, stop=lambda ids: ids[-1] % 5 == 0)
    for ids, want in zip(stopped, full, strict=True):
        end = next((i for i, token in enumerate(want) if token % 5 == 0), len(want) - 1)
        assert ids == want[: end + 1]


def test_training_flag_attention_and_gradients_are_as_before():
    model = tiny_model().train()
    before = model.config._attn_implementation
    greedy(model, PROMPTS, max_new_tokens=2)
    assert model.training
    assert model.config._attn_implementation == before
    assert torch.is_grad_enabled()


def test_end_tokens_are_those_of_the_generation_config():
    model = tiny_model()
    assert end_tokens(model) == {1}
    model.generation_config.eos_token_id = [3, 4]
    assert end_tokens(model) == {3, 4}
    model.generation_config.eos_token_id = None
    assert end_tokens(model) == frozenset()


def test_common_prefix_is_zero_when_not_worth_a_pass():
    assert common_prefix([[1, 2, 3]]) == 0
    assert common_prefix([[1, 2, 3], [1, 2, 4]]) == 0
    assert common_prefix([list(range(10)), [*range(9), 99]]) == 9


def test_an_empty_prompt_is_refused_by_its_index():
    with pytest.raises(ValueError, match="prompt 1 has no tokens"):
        greedy(tiny_model(), [[5], []], max_new_tokens=2)


def test_no_prompts_give_no_outputs():
    assert greedy(tiny_model(), [], max_new_tokens=2) == []


def test_zero_new_tokens_are_refused():
    with pytest.raises(ValueError, match="max_new_tokens=0"):
        greedy(tiny_model(), [[5]], max_new_tokens=0)
