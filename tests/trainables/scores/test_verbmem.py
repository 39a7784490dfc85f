"""VerbMem is the public procedure's number: ROUGE-L F of greedy continuations."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from tiny import decode_as_transformers_4, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.subsequences import lcs_length
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.rouge import RougeL, decode, finish, rouge_words
from trainables.scores.verbmem import VerbMem

WORDS = ["running", "runs", "a", "bb,", "the\n", "Mill", "mills.", "cc"]
MUSE, UNICODE, OPEN = (PROTOCOLS[name] for name in ("muse", "muse-unicode", "open-unlearning"))


def public_verbmem(model, tokenizer, prompt, truth):
    """One item by the public procedure, one prompt at a time."""
    ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=True).input_ids
    truth_ids = tokenizer(truth, return_tensors="pt", add_special_tokens=True).input_ids[:, :128]
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=128, do_sample=False, pad_token_id=2)
    output = decode_as_transformers_4(tokenizer, out[:, ids.shape[1] :])
    short = decode_as_transformers_4(tokenizer, truth_ids)
    score = RougeScorer(["rougeL"], use_stemmer=False).score(short, output)["rougeL"].fmeasure
    return output, short, 100 * score


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_every_item_is_that_of_the_public_procedure(batch_size):
    model, tokenizer = tiny_model(3), tiny_tokenizer()
    model.generation_config.eos_token_id = [1, 30, 31, 32]
    rows = tiny_benchmark(5).rows("verbmem", "forget")
    rows[0] = {"prompt": "Gus", "gt": "a long truth " * 60}
    got = VerbMem(rows, tokenizer, MUSE)(model, batch_size=batch_size)
    want = [public_verbmem(model, tokenizer, row["prompt"], row["gt"]) for row in rows]
    assert list(zip(got.outputs, got.truths, got.values, strict=True)) == [
        (output, truth, pytest.approx(value)) for output, truth, value in want
    ]


def test_rouge_is_the_f_measure_and_not_the_recall():
    # LCS "the mill opened" = 3 words: P = 3/4, R = 3/6, F = 0.6.
    (value,) = RougeL(["the old mill opened in May"], MUSE)(["The mill opened, alone."])
    assert value == pytest.approx(0.6)


def test_the_stemmer_changes_the_score():
    truth, output = ["the mills opened"], ["the mill opens"]
    assert RougeL(truth, MUSE)(output)[0] == pytest.approx(1 / 3)
    assert RougeL(truth, OPEN)(output)[0] == 1


def test_an_empty_output_scores_zero():
    assert RougeL(["words"], MUSE)([" ...\n"])[0] == 0


@pytest.mark.parametrize("protocol", [MUSE, OPEN], ids=lambda protocol: protocol.name)
@given(st.lists(st.sampled_from(WORDS)), st.text(max_size=30))
def test_rouge_is_that_of_the_package(protocol, words, text):
    scorer = RougeScorer(["rougeL"], use_stemmer=protocol.use_stemmer)
    truth, output = " ".join(words), " ".join(words[::2][::-1]) + text
    want = scorer.score(truth, output)["rougeL"].fmeasure
    assert RougeL([truth], protocol)([output])[0] == pytest.approx(want)


@given(st.text(st.characters(codec="ascii")), st.text(st.characters(codec="ascii")))
def test_of_ascii_texts_muse_unicode_is_muse(truth, output):
    assert rouge_words(UNICODE)(truth) == rouge_words(MUSE)(truth)
    assert RougeL([truth], UNICODE)([output + truth]) == RougeL([truth], MUSE)([output + truth])


RECITED = ["Все счастливые семьи похожи друг на друга.", "吾輩は猫である。名前はまだ無い。", "सभी मनुष्यों को"]


@pytest.mark.parametrize("truth", RECITED)
def test_a_truth_in_any_script_is_recited_wholly_in_part_or_not_at_all(truth):
    half = truth[: len(truth) // 2]
    whole, part, none = RougeL([truth] * 3, UNICODE)([truth.upper(), half, "The mill."])
    assert whole == 1
    assert 0.3 < part < 0.8
    assert none == 0
    assert RougeL([truth], MUSE)([truth]) == 0  # what hid the recital


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_the_common_subsequence_is_symmetric_and_bounded(a, b):
    assert lcs_length(a, b) == lcs_length(b, a) <= min(len(a), len(b))
    assert lcs_length(a, a) == len(a)


def test_the_truth_is_cut_to_128_ids_with_special_tokens_counted():
    tokenizer = tiny_tokenizer()
    row = {"prompt": "Ada", "gt": "abcdefghij" * 40}
    (truth,) = VerbMem([row], tokenizer, MUSE).truths
    assert truth == decode(tokenizer, tokenizer(row["gt"]).input_ids[:128])
    assert 0 < len(truth) < 400
    assert VerbMem([row], tokenizer, OPEN).truths == [row["gt"]]


def test_decoding_cleans_up_spaces_as_transformers_4_did():
    tokenizer = tiny_tokenizer()
    ids = tokenizer("It is n't so , is it ?").input_ids
    assert decode(tokenizer, ids) == "It isn't so, is it?" == decode_as_transformers_4(tokenizer, [ids])


def test_only_open_unlearning_strips_and_cuts_at_the_end_token():
    tokenizer = tiny_tokenizer()
    assert finish(" a b </s> c ", MUSE, tokenizer) == " a b </s> c "
    assert finish(" a b </s> c ", OPEN, tokenizer) == "a b"


def test_fewer_new_tokens_are_a_protocol_of_their_own():
    rows = tiny_benchmark().rows("verbmem", "forget")
    short = VerbMem(rows, tiny_tokenizer(), replace(MUSE, verbmem_tokens=2))(tiny_model())
    assert max(map(len, short.outputs)) < 40
    assert short.values.dtype == np.float64
