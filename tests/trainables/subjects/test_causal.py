"""Of a model that attends plainly, what stands behind a text changes nothing of it: training needs no mask."""

import pytest
import torch
from tiny import tiny_model
from transformers import GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM

from trainables.method import Step
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.subjects import causal
from trainables.subjects.causal import is_plain
from trainables.training.data import collate

ROWS = [[0, *range(3, 3 + length)] for length in (4, 9, 14)]


def gpt2():
    return GPT2LMHeadModel(GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=1))


def gpt_neox():
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=300, **sizes))


@pytest.mark.parametrize("make", [tiny_model, gpt2, gpt_neox])
def test_rows_that_are_padded_have_without_a_mask_the_logits_that_they_have_alone(make):
    torch.manual_seed(0)
    model = make().eval()
    assert is_plain(model)
    ids, _ = collate(ROWS, pad=2)
    with torch.no_grad():
        together = model(input_ids=ids, use_cache=False).logits
        for row, found in zip(ROWS, together, strict=True):
            torch.testing.assert_close(found[: len(row)], model(torch.tensor([row])).logits[0], atol=1e-5, rtol=1e-5)


def test_a_run_takes_the_same_steps_without_masks_as_with_them(monkeypatch):
    def steps():
        config = MeanTeacher(steps=3, eval_every=3, batch_size=3, lr=0.05)
        records = unlearn(tiny_model(), ROWS, ROWS[::-1], config, pad=2)
        return torch.tensor([list(record.values.values()) for record in records if isinstance(record, Step)])

    without = steps()
    monkeypatch.setattr(causal, "PLAIN", ())
    assert not is_plain(tiny_model())
    torch.testing.assert_close(steps(), without, atol=1e-5, rtol=1e-4)
