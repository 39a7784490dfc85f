"""Chunked log-probs are those of the whole logits of one text at a time."""

import numpy as np
import pytest
import torch
from tiny import tiny_model
from transformers import CohereConfig, CohereForCausalLM, GPT2Config, GPT2LMHeadModel

from trainables.decoding.log_probs import ROWS, likeliest, standardised, token_logprobs, token_values


def random_texts(lengths):
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(3, 300, (n,), generator=generator).tolist() for n in lengths]


def whole_logits(model, sequence):
    ids = torch.tensor([sequence])
    with torch.no_grad():
        logprobs = model(ids).logits.log_softmax(dim=-1)
    return logprobs[0, :-1].gather(1, ids[0, 1:, None])[:, 0].numpy()


TEXTS = random_texts([2, 50, 3, 17, 17, 120])


@pytest.mark.parametrize("batch_size", [1, 3, 32])
@pytest.mark.parametrize("chunk", [1, 7, 1024])
def test_values_do_not_depend_on_batch_padding_or_chunk(batch_size, chunk):
    model = tiny_model()
    for got, text in zip(token_logprobs(model, TEXTS, batch_size=batch_size, chunk=chunk), TEXTS, strict=True):
        assert got.shape == (len(text) - 1,)
        np.testing.assert_allclose(got, whole_logits(model, text), atol=2e-5)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (GPT2LMHeadModel, GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4)),
        # Cohere scales its logits behind the output layer.
        (
            CohereForCausalLM,
            CohereConfig(
                vocab_size=300,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=64,
            ),
        ),
    ],
)
def test_other_families_give_their_own_whole_logits(kind, config):
    torch.manual_seed(0)
    model = kind(config).eval()
    for got, text in zip(token_logprobs(model, TEXTS, batch_size=4), TEXTS, strict=True):
        np.testing.assert_allclose(got, whole_logits(model, text), atol=2e-5)


def test_dropout_is_off_and_the_training_flag_comes_back():
    model = tiny_model(attention_dropout=0.5).train()
    got = token_logprobs(model, TEXTS)
    assert model.training
    np.testing.assert_allclose(got[1], whole_logits(model.eval(), TEXTS[1]), atol=2e-5)


def test_a_text_of_one_token_is_refused_by_its_index():
    with pytest.raises(ValueError, match="sequence 1 has 1 tokens"):
        token_logprobs(tiny_model(), [[4, 5], [4]])


def test_no_texts_give_no_values():
    assert token_logprobs(tiny_model(), []) == []


def test_standardised_log_probs_by_hand():
    logits = torch.tensor([[0.8, 0.2], [0.8, 0.2], [0.5, 0.5]]).log()
    assert standardised(logits, torch.tensor([0, 1, 0])).tolist() == pytest.approx([0.5, -2.0, 0.0], abs=1e-3)
    barred = torch.tensor([[0.8, 0.2, 0.0]]).log()  # -inf: what cannot come changes nothing
    assert standardised(barred, torch.tensor([1])).tolist() == pytest.approx([-2.0], abs=1e-3)
    surprised = torch.tensor([[0.0, -200.0]])  # a token whose probability is 0 in fp32 is as unlikely as it is
    assert standardised(surprised, torch.tensor([1])).item() < -1e4


def test_standardised_log_probs_are_those_of_each_row_however_many_there_are():
    torch.manual_seed(0)
    logits, targets = torch.randn(2 * ROWS + 3, 50) * 3, torch.randint(50, (2 * ROWS + 3,))
    every = logits.double().log_softmax(dim=-1)
    mean = (every.exp() * every).sum(dim=-1)
    sigma = ((every.exp() * every**2).sum(dim=-1) - mean**2).sqrt()
    want = (every.gather(1, targets[:, None])[:, 0] - mean) / sigma
    np.testing.assert_allclose(standardised(logits, targets), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("chunk", [7, 1024])
def test_the_likeliest_tokens_are_those_of_the_whole_logits(chunk):
    model = tiny_model()
    with torch.no_grad():
        best = [model(torch.tensor([text])).logits[0].argmax(dim=-1) for text in TEXTS]
    texts = [[*text, int(own[-1])] for text, own in zip(TEXTS, best, strict=True)]
    for got, text in zip(token_values(model, texts, likeliest, batch_size=3, chunk=chunk), texts, strict=True):
        with torch.no_grad():
            want = model(torch.tensor([text])).logits[0, :-1].argmax(dim=-1).tolist()
        assert got.tolist() == [float(a == b) for a, b in zip(want, text[1:], strict=True)]
        assert got[-1] == 1
