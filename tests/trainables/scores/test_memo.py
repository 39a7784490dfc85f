"""MEMO: the specification's numbers, a plain loop that continues one cut at a time, and what a model is asked."""

import numpy as np
import pytest
import torch
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.decoding.continued import Continued, cuts, rouge_1
from trainables.decoding.generate import greedy
from trainables.scores.memo import prepare
from trainables.scores.protocol import PROTOCOLS

ASKED = [("Where did Ada Orme open a mill?", "In the town of Orton."), ("Who makes paper?", "Bo")]


def test_rouge_1_is_the_specification_s_number_without_stemming():
    assert rouge_1("red box", "red boxes here") == pytest.approx(0.4)  # precision 1/2, recall 1/3
    assert rouge_1("Red, red!", "red") == pytest.approx(2 / 3)
    assert rouge_1("", "red") == rouge_1("blue", "red") == 0.0


def test_an_answer_is_cut_at_every_fifth_character_and_no_prompt_ends_in_a_space():
    assert cuts("Who?", "Bo Quill or I") == [
        ("Who?", "Bo Quill or I"),
        ("Who? Bo Qu", "ill or I"),
        ("Who? Bo Quill o", "r I"),
    ]
    assert cuts("Who?", "Ada and Bo", 4) == [("Who?", "Ada and Bo"), ("Who? Ada", "and Bo"), ("Who? Ada and", "Bo")]
    assert cuts("Who?", "") == []


def by_hand(prompt: str, answer: str) -> list[float]:
    values = []
    for place in range(0, len(answer), 5):
        ids = tiny_tokenizer()(f"{prompt} {answer[:place]}".rstrip()).input_ids
        new: list[int] = []
        for _ in tiny_tokenizer()(answer[place:], add_special_tokens=False).input_ids:
            with torch.no_grad():
                new.append(int(tiny_model()(torch.tensor([ids + new])).logits[0, -1].argmax()))
            if new[-1] == tiny_tokenizer().eos_token_id:
                break
        values.append(rouge_1(tiny_tokenizer().decode(new, skip_special_tokens=True), answer[place:]))
    return values


@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_cut_is_that_of_a_plain_loop(batch_size):
    continued = Continued(ASKED, tiny_tokenizer())
    new = greedy(tiny_model(), continued.prompts, max_new_tokens=continued.most, batch_size=batch_size)
    found = continued.values(new)
    assert [values for _, values in found] == [by_hand(*one) for one in ASKED]


def test_a_model_that_knows_an_answer_by_heart_scores_100(monkeypatch):
    benchmark, tokenizer = tiny_benchmark(), tiny_tokenizer()
    score = prepare(benchmark, tokenizer, PROTOCOLS["muse"])
    labels = iter(score.continued._labels)
    monkeypatch.setattr(
        "trainables.scores.memo.written",
        lambda model, ids, *rest, **options: [tokenizer(next(labels), add_special_tokens=False).input_ids for _ in ids],
    )
    items = score(None)
    assert items.values.tolist() == [100.0] * 4
    assert items.truths == [row["answer"] for row in benchmark.rows("knowmem", "forget_qa")]
    assert items.outputs == items.truths


def test_its_value_is_the_mean_over_an_answer_s_cuts():
    score = prepare(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"])
    items = score(tiny_model())
    expected = [
        100 * np.mean(by_hand(prompt.rstrip(), truth))
        for prompt, truth in zip(items.prompts, items.truths, strict=True)
    ]
    assert items.values.tolist() == pytest.approx(expected)
