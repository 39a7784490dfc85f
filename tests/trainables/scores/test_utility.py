"""Utility: the choice with the highest mean token log-prob wins."""

import numpy as np
import pytest
import torch
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.scores.utility import Utility


def sum_logprob(model, tokenizer, prompt, choice):
    start = len(tokenizer(prompt).input_ids)
    ids = torch.tensor([tokenizer(prompt + choice).input_ids])
    with torch.no_grad():
        logprobs = model(ids).logits.log_softmax(dim=-1)[0, :-1].gather(1, ids[0, 1:, None])[:, 0]
    return float(logprobs[start - 1 :].sum())


@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_the_picked_choice_is_that_of_a_plain_loop(batch_size):
    model, tokenizer = tiny_model(), tiny_tokenizer()
    rows = [
        {
            "prompt": "The mill is in",
            "choices": [" Wick", " Selby town", " Keld"],
            "answer": str(i),
        }
        for i in range(3)
    ] + tiny_benchmark().rows("utility", "test")
    got = Utility(rows, tokenizer)(model, batch_size=batch_size)
    for row, output, truth, value in zip(rows, got.outputs, got.truths, got.values, strict=True):
        choices = row["choices"]
        sums = [sum_logprob(model, tokenizer, row["prompt"], choice) for choice in choices]
        assert output == choices[int(np.argmax(sums))]
        assert truth == choices[int(row["answer"])]
        assert value == 100 * (output == truth)


def test_a_choice_is_scored_even_if_it_merges_with_its_prompt():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    rows = [{"prompt": "The m", "choices": ["ill", "ask"], "answer": "0"}]
    assert Utility(rows, tokenizer)(model).outputs[0] in ("ill", "ask")


def test_a_choice_counts_as_a_whole_so_a_longer_one_needs_more_luck():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    for parameter in model.lm_head.parameters():
        torch.nn.init.zeros_(parameter)  # every token equally likely: the choice of fewest tokens wins
    rows = [{"prompt": "Q ", "choices": ["a long long choice", "b"], "answer": "1"}]
    assert Utility(rows, tokenizer)(model).values.tolist() == [100]


def test_an_answer_that_is_no_index_is_refused():
    with pytest.raises(ValueError, match="answer '2' is not the index"):
        Utility([{"prompt": "Q ", "choices": ["a", "b"], "answer": "2"}], tiny_tokenizer())
