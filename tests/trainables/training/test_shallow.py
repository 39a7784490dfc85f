"""A model of another's first blocks: a plain pass that stops there, no weight twice, a folder of its own."""

import pytest
import torch
from tiny import tiny_model, tiny_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel, Qwen2Config, Qwen2ForCausalLM

from trainables.subjects.models import load_model, save_model
from trainables.training.shallow import shallow
from trainables.training.trainable import blocks_of

IDS = torch.tensor([[0, 5, 9, 7, 4]])
SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
MODELS = {
    "llama": lambda: tiny_model(num_hidden_layers=3),
    "tied": lambda: tiny_model(num_hidden_layers=3, tie_word_embeddings=True),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**SMALL, bos_token_id=0, eos_token_id=1)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SMALL, intermediate_size=64, num_key_value_heads=2)),
}


@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_its_logits_are_norm_and_head_on_what_the_first_blocks_give(kind, tmp_path):
    model = MODELS[kind]().eval()
    part = shallow(model, 2)
    hidden = model(IDS, output_hidden_states=True).hidden_states[2]
    norm = model.transformer.ln_f if kind == "gpt2" else model.model.norm
    assert torch.allclose(part(IDS).logits, model.lm_head(norm(hidden)), atol=1e-5)
    save_model(part, tiny_tokenizer(), tmp_path)
    assert torch.equal(load_model(tmp_path)(IDS).logits, part(IDS).logits)


@pytest.mark.parametrize("kind", MODELS)
def test_its_weights_are_the_other_model_s_own_which_keeps_all_its_blocks(kind):
    model = MODELS[kind]().eval()
    part = shallow(model, 1)
    own = {id(weight) for weight in model.parameters()}
    assert all(id(weight) in own for weight in part.parameters())
    assert [len(blocks_of(m)) for m in (part, model)] == [1, 3]
    assert [m.config.num_hidden_layers for m in (part, model)] == [1, 3]


@pytest.mark.parametrize("count", [0, 4])
def test_a_number_of_blocks_that_there_is_not_is_told(count):
    with pytest.raises(ValueError, match=rf"^blocks is {count}: it must be at least 1 and at most the model's 3$"):
        shallow(MODELS["llama"](), count)
