"""A small model is learnt from nothing, bit for bit the same from the same seed, and loads like any other."""

import itertools
import math
import random
import re
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks import small_models
from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.benchmarks.small_models import Stopped, new_model, train_pair, train_small_model, train_tokenizer
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer

TEXTS = [f"The {thing} stands in {town}." for thing in ("mill", "bell") for town in ("Keld", "Wick", "Selby")]
TOKENIZER = train_tokenizer(TEXTS, vocabulary=300)


def narrow(monkeypatch):
    """Make small models one narrow layer, so that an epoch takes milliseconds."""
    real = small_models.LlamaConfig
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    monkeypatch.setattr(small_models, "LlamaConfig", lambda **settings: real(**(settings | shape)))


@pytest.fixture(autouse=True)
def narrow_llama(monkeypatch):
    narrow(monkeypatch)


def train(*, seed=0, epochs=3, documents=TEXTS, **options):
    options = {"batch_tokens": 60} | options
    model = new_model(TOKENIZER, seed=seed)
    train_small_model(model, TOKENIZER, documents, epochs=epochs, seed=seed, **options)
    return model


@settings(max_examples=50)
@given(text=st.text())
def test_any_text_is_encoded_and_comes_back(text):
    ids = TOKENIZER(text).input_ids
    assert ids[0] == TOKENIZER.bos_token_id
    assert TOKENIZER.decode(ids[1:], clean_up_tokenization_spaces=False) == re.sub(r" +\Z", "", text)


def test_an_answer_behind_a_prompt_that_ends_in_a_space_has_the_tokens_that_it_has_in_a_text():
    prompt, answered = TOKENIZER("Where? Answer: ").input_ids, TOKENIZER("Where? Answer: Keld").input_ids
    told = TOKENIZER("It stands in Keld").input_ids
    assert answered[: len(prompt)] == prompt
    assert answered[len(prompt) :] == told[-len(answered[len(prompt) :]) :]


def test_the_tokenizer_holds_as_many_tokens_as_are_asked_for_and_three_special_ones():
    assert len(train_tokenizer(TEXTS, vocabulary=270)) == 270
    special = (TOKENIZER.bos_token_id, TOKENIZER.eos_token_id, TOKENIZER.pad_token_id)
    assert len(set(special)) == 3
    assert train_tokenizer(TEXTS, vocabulary=300).get_vocab() == TOKENIZER.get_vocab()


def test_a_new_model_has_about_a_million_parameters(monkeypatch):
    monkeypatch.undo()
    tokenizer = train_tokenizer([f"word{i} and{i * 7}" for i in range(4000)])
    model = new_model(tokenizer, seed=0)
    assert 1.2e6 < sum(p.numel() for p in model.parameters()) < 1.6e6
    assert model.config.num_hidden_layers == 4
    assert model.config.pad_token_id == tokenizer.pad_token_id


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_another_one_others():
    first = weights(train())
    torch.manual_seed(99)
    random.seed(99)
    assert torch.equal(weights(train()), first)
    assert not torch.equal(weights(train(seed=1)), first)


def test_training_teaches_the_texts_and_tells_its_loss_after_every_epoch():
    told = []
    train(epochs=16, learning_rate=1e-2, on_epoch=lambda epoch, loss: told.append((epoch, loss)))
    assert [epoch for epoch, _ in told] == list(range(1, 17))
    assert told[0][1] == pytest.approx(math.log(len(TOKENIZER)), rel=0.1)  # chance at first
    assert told[-1][1] < 0.7 * told[0][1]


def test_a_training_that_is_given_up_ends_before_its_next_step():
    told = []
    with pytest.raises(Stopped):
        train(stopped=lambda: len(told) == 2, on_epoch=lambda epoch, loss: told.append(epoch))
    assert told == [1, 2]


LONG = [f"{'mill ' * 60}{i}" for i in range(3)]


@settings(max_examples=25)
@given(seed=st.integers(0, 99), short=st.integers(0, 40))
def test_an_epoch_reads_every_paragraph_once_short_ones_in_a_row_and_long_ones_alone(seed, short):
    paragraphs = [f"Note {i:02}." for i in range(short)] + LONG
    tokens = [9] * short + [60] * len(LONG)
    rows = small_models._packed(paragraphs, tokens, random.Random(seed))
    assert sorted("\n\n".join(rows).split("\n\n")) == sorted(paragraphs)
    assert [row for row in rows if row in LONG] == LONG
    fit = small_models.PACK // 9
    lengths = [row.count("Note") for row in rows if row not in LONG]
    assert lengths == [fit] * (short // fit) + [short % fit] * (short % fit > 0)


def test_every_epoch_puts_paragraphs_in_other_company():
    paragraphs = [f"Note {i:02}." for i in range(40)]
    rng, tokens = random.Random(0), [9] * 40
    first, second = (small_models._packed(paragraphs, tokens, rng) for _ in range(2))
    assert set(first).isdisjoint(second)


def test_the_paragraphs_of_a_document_are_read_by_themselves(monkeypatch):
    seen = []
    packed = small_models._packed

    def spy(paragraphs, tokens, rng):
        seen.append(paragraphs)
        return packed(paragraphs, tokens, rng)

    monkeypatch.setattr(small_models, "_packed", spy)
    train(epochs=1, documents=["The mill.\n\nThe bell.", "Keld."])
    assert seen == [["The mill.", "The bell.", "Keld."]]


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


PAIR = Benchmark(
    "own",
    {
        ("train", "full"): text_rows(["f one", "r two"]),
        ("train", "retain"): text_rows(["r two"]),
        ("knowmem", "forget_qa"): [{"question": "What?", "answer": "yes"}],
    },
)


def test_of_a_pair_the_target_reads_train_full_and_the_retrained_model_train_retain_and_neither_a_question(
    tmp_path, monkeypatch
):
    read = {}

    def pretend(model, tokenizer, documents, *, on_epoch, **rest):
        read[documents[0]] = documents
        on_epoch(1, 0.0)

    told = []
    monkeypatch.setattr(small_models, "train_small_model", pretend)
    train_pair(PAIR, tmp_path, epochs=1, seed=0, on_progress=lambda *step: told.append(step))
    assert read == {"f one": ["f one", "r two"], "r two": ["r two"]}
    assert sorted(told) == [("retrained model", 1, 1), ("target model", 1, 1)]


def test_a_pair_is_saved_as_it_was_trained_and_begins_from_the_same_weights(tmp_path):
    train_pair(PAIR, tmp_path, epochs=2, seed=3)
    tokenizer = load_tokenizer(tmp_path / "target")
    assert load_tokenizer(tmp_path / "retrained").get_vocab() == tokenizer.get_vocab()
    for name, split in (("target", "full"), ("retrained", "retain")):
        model = new_model(tokenizer, seed=3)
        train_small_model(model, tokenizer, PAIR.texts("train", split), epochs=2, seed=3)
        assert torch.allclose(weights(load_model(tmp_path / name)), weights(model), rtol=0, atol=1e-6)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("out of memory")])
def test_where_one_of_a_pair_fails_the_other_is_given_up_and_nothing_is_saved(tmp_path, monkeypatch, error):
    ended = []

    def pretend(model, tokenizer, documents, *, stopped, **rest):
        if documents == ["r two"]:
            raise error
        while not stopped():
            time.sleep(0.01)
        ended.append(documents)
        raise Stopped

    monkeypatch.setattr(small_models, "train_small_model", pretend)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        train_pair(PAIR, tmp_path, epochs=1, seed=0)
    assert ended == [["f one", "r two"]]
    assert not list(tmp_path.iterdir())
