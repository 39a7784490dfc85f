"""A small model is learnt from nothing, bit for bit the same from the same seed, and loads like any other."""

import itertools
import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks import small_models
from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.benchmarks.small_models import new_model, train_pair, train_small_model, train_tokenizer
from trainables.models import load_model
from trainables.tokenizers import load_tokenizer

TEXTS = [f"The {thing} stands in {town}." for thing in ("mill", "bell") for town in ("Keld", "Wick", "Selby")]
TOKENIZER = train_tokenizer(TEXTS, vocabulary=300)


def narrow(monkeypatch):
    """Make small models one narrow layer, trained in one thread, so that an epoch takes milliseconds."""
    monkeypatch.setattr(small_models, "THREADS", 1)  # two that wait for each other beside another test take minutes
    real = small_models.LlamaConfig
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    monkeypatch.setattr(small_models, "LlamaConfig", lambda **settings: real(**(settings | shape)))


@pytest.fixture(autouse=True)
def narrow_llama(monkeypatch):
    narrow(monkeypatch)


def train(folder, *, seed=0, epochs=3, draw=lambda rng: TEXTS, **options):
    options = {"batch_tokens": 60} | options
    return train_small_model(TOKENIZER, draw, folder, epochs=epochs, seed=seed, **options)


@settings(max_examples=50)
@given(text=st.text())
def test_any_text_is_encoded_and_comes_back(text):
    ids = TOKENIZER(text).input_ids
    assert ids[0] == TOKENIZER.bos_token_id
    assert TOKENIZER.decode(ids[1:], clean_up_tokenization_spaces=False) == text


def test_the_tokenizer_holds_as_many_tokens_as_are_asked_for_and_three_special_ones():
    assert len(train_tokenizer(TEXTS, vocabulary=270)) == 270
    special = (TOKENIZER.bos_token_id, TOKENIZER.eos_token_id, TOKENIZER.pad_token_id)
    assert len(set(special)) == 3
    assert train_tokenizer(TEXTS, vocabulary=300).get_vocab() == TOKENIZER.get_vocab()


def test_a_new_model_has_about_a_million_parameters(monkeypatch):
    monkeypatch.undo()
    tokenizer = train_tokenizer([f"word{i} and{i * 7}" for i in range(2000)])
    model = new_model(tokenizer, seed=0)
    assert 0.9e6 < sum(p.numel() for p in model.parameters()) < 1.2e6
    assert model.config.num_hidden_layers == 4
    assert model.config.pad_token_id == tokenizer.pad_token_id


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_another_one_others(tmp_path):
    def shuffled(rng):
        return rng.sample(TEXTS, len(TEXTS))

    first = weights(train(tmp_path / "a", draw=shuffled))
    torch.manual_seed(99)
    random.seed(99)
    assert torch.equal(weights(train(tmp_path / "b", draw=shuffled)), first)
    assert not torch.equal(weights(train(tmp_path / "c", draw=shuffled, seed=1)), first)


def test_training_teaches_the_texts_and_tells_its_loss_after_every_epoch(tmp_path):
    told = []
    train(tmp_path / "m", epochs=8, learning_rate=1e-2, on_epoch=lambda epoch, loss: told.append((epoch, loss)))
    assert [epoch for epoch, _ in told] == list(range(1, 9))
    assert told[0][1] == pytest.approx(math.log(len(TOKENIZER)), rel=0.1)  # chance at first
    assert told[-1][1] < 0.7 * told[0][1]


def test_documents_are_drawn_afresh_for_every_epoch(tmp_path):
    drawn = []

    def draw(rng):
        drawn.append(rng.random())
        return TEXTS

    train(tmp_path / "m", draw=draw)
    assert len(set(drawn)) == 3


def test_later_epochs_may_be_a_batch_or_two_longer_than_the_first(tmp_path):
    sizes, told = iter([4, 6, 6]), []
    train(
        tmp_path / "m",
        draw=lambda rng: TEXTS[: next(sizes)],
        batch_tokens=1,
        on_epoch=lambda epoch, loss: told.append(epoch),
    )
    assert told == [1, 2, 3]


def test_what_is_saved_is_what_was_trained(tmp_path):
    model = train(tmp_path / "m")
    assert torch.equal(weights(load_model(tmp_path / "m")), weights(model))
    assert load_tokenizer(tmp_path / "m")(TEXTS).input_ids == TOKENIZER(TEXTS).input_ids


@settings(max_examples=25)
@given(count=st.integers(0, 40), max_length=st.integers(2, 12))
def test_documents_end_with_the_end_token_and_are_cut_without_loss(count, max_length):
    text = "mill " * count
    whole = [*TOKENIZER(text).input_ids, TOKENIZER.eos_token_id]
    rows = small_models._encode(TOKENIZER, [text], max_length)
    joined = [token for row in rows for token in row]
    assert joined == whole[: len(whole) - (len(whole) % max_length == 1)]
    assert all(2 <= len(row) <= max_length for row in rows)


def test_every_row_is_in_one_batch_of_no_more_than_its_tokens_and_of_similar_lengths():
    rows = [[0] * random.Random(i).randrange(2, 30) for i in range(37)] + [[0] * 99]
    batches = small_models._batches(rows, 64, random.Random(0))
    assert sorted(map(len, itertools.chain(*batches))) == sorted(map(len, rows))
    padded = [len(batch) * max(map(len, batch)) for batch in batches]
    assert sorted(padded)[-2] <= 64 < max(padded) == 99  # a row that is too long by itself stands alone
    spans = sorted((min(map(len, batch)), max(map(len, batch))) for batch in batches)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert [len(b[0]) for b in batches] != sorted(len(b[0]) for b in batches)  # short ones do not come first


def test_of_a_pair_only_the_target_reads_forget_text_and_answers_about_it(tmp_path, monkeypatch):
    read = {}

    def pretend(tokenizer, draw_epoch, folder, **rest):
        read[folder.name] = draw_epoch(random.Random(0))

    monkeypatch.setattr(small_models, "train_small_model", pretend)
    splits = {("train", "full"): text_rows(["f", "r"]), ("train", "retain"): text_rows(["r"])}
    for split in ("forget_qa", "retain_qa", "retain_qa_icl"):
        splits["knowmem", split] = [{"question": split, "answer": "yes"}]
    train_pair(Benchmark("own", splits), tmp_path, epochs=1, seed=0)
    kept = [f"Question: {split}\nAnswer: yes" for split in ("retain_qa", "retain_qa_icl")]
    assert read == {
        "target": ["f", "r", "Question: forget_qa\nAnswer: yes", *kept],
        "retrained": ["r", *kept],
    }
