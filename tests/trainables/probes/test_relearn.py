"""Relearning: it learns, what it learned from does not count, and no step is none."""

import numpy as np
import pytest
import torch
from tiny import article, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.log_probs import token_logprobs
from trainables.probes.probe import Texts
from trainables.probes.relearn import RelearnAnswers, RelearnBenign, RelearnIn

TINY = tiny_benchmark(8)
TEXTS = Texts(benchmark=TINY, tokenizer=tiny_tokenizer())


def likely(model: torch.nn.Module, text: str) -> float:
    (values,) = token_logprobs(model, [tiny_tokenizer()(text).input_ids])
    return float(values.mean())


def test_no_step_is_no_stress() -> None:
    model = tiny_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with RelearnIn(k=0).on(model, TEXTS):
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_text_that_is_learned_grows_more_likely_with_every_ten_steps() -> None:
    found = []
    for k in (0, 10, 20):
        with RelearnIn(k=k, share=0.5, lr=1e-3).on(tiny_model(), TEXTS) as model:
            found.append(likely(model, article(0)))
    assert np.all(np.diff(found) > 0.1)


def test_a_share_of_those_asked_about_is_learned_of_and_the_others_count() -> None:
    stress = RelearnIn(share=0.25)
    assert stress.documents(TEXTS) == [article(0), article(1)]
    questions = [f"Question: {row['question']}\nAnswer: " for row in TINY.rows("knowmem", "forget_qa")]
    assert stress.unseen(questions, TEXTS) == [False] * 2 + [True] * 6


def test_examples_before_a_question_do_not_decide_whether_it_counts() -> None:
    asked = "Question: Where did Ada Orme open a mill?\nAnswer: Orton\n\nQuestion: Where did Cy Marsh live?\nAnswer: "
    assert RelearnIn(share=0.25).unseen([asked], TEXTS) == [True]


def test_a_text_that_names_one_who_counts_is_not_learned() -> None:
    both = [{"text": article(0) + article(7)}, {"text": article(1)}]
    texts = Texts(benchmark=Benchmark(name="b", splits=TINY.splits | {("raw", "forget"): both}), tokenizer=None)
    assert RelearnIn(share=0.25).documents(texts) == [article(1)]


def test_half_of_the_answers_are_learned_and_only_the_other_half_counts() -> None:
    rows = TINY.rows("knowmem", "forget_qa")
    prompts = [f"Question: {row['question']}\nAnswer: " for row in rows]
    stress = RelearnAnswers()
    assert stress.unseen(prompts, TEXTS) == [False] * 4 + [True] * 4
    assert stress.documents(TEXTS) == [prompt + row["answer"] for prompt, row in zip(prompts[:4], rows, strict=False)]


def test_where_no_text_can_be_told_from_the_rest_it_is_refused() -> None:
    both = [{"text": " ".join(article(i) for i in range(8))}]
    texts = Texts(benchmark=Benchmark(name="b", splits=TINY.splits | {("raw", "forget"): both}), tokenizer=None)
    with pytest.raises(ValueError, match="no text of raw/forget names one of the first 2 of 8"):
        RelearnIn().documents(texts)


def test_all_counts_of_text_that_is_another() -> None:
    assert RelearnBenign().unseen(["Question: Where did Ada Orme open a mill?\nAnswer: "], TEXTS) == [True]
