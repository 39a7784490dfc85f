"""KnowMem asks the public procedure's prompts and scores what stands before its stop words."""

import pytest
import torch
from rouge_score.rouge_scorer import RougeScorer
from tiny import decode_as_transformers_4, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.scores.knowmem import KnowMem, StopWords, knowmem_prompts
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.rouge import cut, decode

MUSE, OPEN = PROTOCOLS["muse"], PROTOCOLS["open-unlearning"]
STOPS = MUSE.stop_words


def stopping_model(seed=0):
    """A model that likes newlines and `:`, so that stop words do occur."""
    model, tokenizer = tiny_model(seed, tie_word_embeddings=False), tiny_tokenizer()
    for piece in ("\n", "Question", ":", "\n\n"):
        for token in tokenizer(piece, add_special_tokens=False).input_ids:
            model.lm_head.weight.data[token] *= 3
    return model


def public_knowmem(model, tokenizer, prompt, truth):
    ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=True).input_ids
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=32, do_sample=False, pad_token_id=2)
    output = decode_as_transformers_4(tokenizer, out[:, ids.shape[1] :])
    for word in ["\n\n", "\nQuestion", "Question:"]:
        output = output.split(word)[0]
    return output, 100 * RougeScorer(["rougeL"], use_stemmer=False).score(truth, output)["rougeL"].fmeasure


@pytest.mark.parametrize("batch_size", [1, 3, 32])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_item_is_that_of_the_public_procedure(seed, batch_size):
    model, tokenizer, benchmark = stopping_model(seed), tiny_tokenizer(), tiny_benchmark(6)
    rows, shots = benchmark.rows("knowmem", "forget_qa"), benchmark.rows("knowmem", "forget_qa_icl")
    got = KnowMem(rows, shots, tokenizer, MUSE)(model, batch_size=batch_size)
    want = [
        public_knowmem(model, tokenizer, prompt, row["answer"])
        for prompt, row in zip(knowmem_prompts(rows, shots), rows, strict=True)
    ]
    assert list(zip(got.outputs, got.values, strict=True)) == [(o, pytest.approx(v)) for o, v in want]


def test_the_prompt_ends_with_a_space_and_examples_with_an_empty_line():
    (prompt,) = knowmem_prompts([{"question": "Q?"}], [{"question": "A?", "answer": "b"}])
    assert prompt == "Question: A?\nAnswer: b\n\nQuestion: Q?\nAnswer: "


def test_the_trailing_space_changes_the_token_ids():
    tokenizer = tiny_tokenizer()
    (prompt,) = knowmem_prompts([{"question": "Where?"}], [])
    assert tokenizer(prompt).input_ids != tokenizer(prompt.rstrip()).input_ids


def test_stop_words_cut_one_after_the_other():
    assert cut("Selby\n\nQuestion: Where", STOPS) == "Selby"
    assert cut("Selby\nQuestion: Where\n\nmore", STOPS) == "Selby"
    assert cut("Question: x", STOPS) == ""
    assert cut("no stop", STOPS) == "no stop"


def test_muse_keeps_the_spaces_that_open_unlearning_strips():
    model, benchmark = stopping_model(), tiny_benchmark()
    rows, shots = benchmark.rows("knowmem", "forget_qa"), benchmark.rows("knowmem", "forget_qa_icl")
    muse, other = (KnowMem(rows, shots, tiny_tokenizer(), p)(model).outputs for p in (MUSE, OPEN))
    assert other == [output.strip() for output in muse]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Selby\n\n", True),
        ("Selby\n", False),
        ("SelbyQuestion:", True),
        ("Selby:", False),
        ("Question", False),
    ],
)
def test_a_row_may_end_once_a_stop_word_stands_in_its_text(text, found):
    tokenizer = tiny_tokenizer()
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert StopWords(tokenizer, STOPS)(ids) is found


def test_stopping_early_saves_tokens_and_changes_no_output():
    tokenizer = tiny_tokenizer()
    ids = tokenizer("Selby\n\nQuestion: Who", add_special_tokens=False).input_ids
    stop = StopWords(tokenizer, STOPS)
    end = next(i for i in range(1, len(ids) + 1) if stop(ids[:i]))
    assert end < len(ids)
    assert cut(decode(tokenizer, ids[:end]), STOPS) == cut(decode(tokenizer, ids), STOPS) == "Selby"
