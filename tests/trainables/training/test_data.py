"""Nothing is lost in sequences, padding is told apart, and a draw depends on its numbers alone."""

import itertools
from collections import Counter
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import article, tiny_tokenizer

from trainables.training.data import (
    IGNORED,
    choose_fraction,
    chunk_texts,
    collate,
    cyclic_indices,
    next_token_targets,
    sample_indices,
)

ragged = st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=9), min_size=1, max_size=6)


def test_a_text_that_fits_is_one_sequence_with_its_special_tokens():
    tokenizer, texts = tiny_tokenizer(), [article(0), article(1)]
    sequences = chunk_texts(tokenizer, texts, max_length=512)
    assert [tokenizer.decode(ids) for ids in sequences] == [f"<s>{text}" for text in texts]


@settings(max_examples=25)
@given(words=st.integers(1, 60), max_length=st.integers(2, 20))
def test_a_long_text_is_cut_into_full_sequences_that_join_to_it_each_led_by_the_begin_token(words, max_length):
    tokenizer, text = tiny_tokenizer(), "mill " * words
    begin, *whole = tokenizer(text).input_ids
    sequences = chunk_texts(tokenizer, [text], max_length=max_length)
    assert begin == tokenizer.bos_token_id
    assert all(ids[0] == begin and len(ids) > 1 for ids in sequences)
    assert [token for ids in sequences for token in ids[1:]] == whole
    assert all(len(ids) == max_length for ids in sequences[:-1])


@given(length=st.integers(1, 60), max_length=st.integers(2, 20))
def test_without_a_begin_token_pieces_join_to_the_text_but_for_a_last_single_token(length, max_length):
    whole = list(range(5, 5 + length))
    sequences = chunk_texts(fixed_tokenizer([whole], begin=None), ["x"], max_length=max_length)
    dropped = length % max_length == 1  # a last single token predicts nothing
    assert [token for ids in sequences for token in ids] == whole[: length - dropped]


def test_pieces_and_beginnings_of_a_long_text_by_hand():
    tokenizer = fixed_tokenizer([[1, 11, 12, 13, 14, 15], [1, 21]], begin=1)
    assert chunk_texts(tokenizer, ["", ""], max_length=3) == [[1, 11, 12], [1, 13, 14], [1, 15], [1, 21]]
    assert chunk_texts(tokenizer, ["", ""], max_length=3, long_texts="truncate") == [[1, 11, 12], [1, 21]]


def fixed_tokenizer(documents, begin):
    """Whatever the texts, these tokens."""
    made = Mock(return_value=SimpleNamespace(input_ids=documents))
    made.bos_token_id = begin
    return made


def test_no_sequence_crosses_from_one_text_into_the_next():
    tokenizer, texts = tiny_tokenizer(), [article(0), article(1)]
    together = chunk_texts(tokenizer, texts, max_length=7)
    assert together == [ids for text in texts for ids in chunk_texts(tokenizer, [text], max_length=7)]


def test_collate_by_hand():
    ids, mask = collate([[5, 6, 7], [8]], pad=0)
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert ids.dtype == mask.dtype == torch.int64


def test_targets_by_hand_are_the_next_tokens():
    ids, mask = collate([[5, 6, 7], [8, 9]], pad=0)
    assert next_token_targets(ids, mask).tolist() == [[6, 7], [9, IGNORED]]


@given(sequences=ragged, pad=st.integers(0, 50))
def test_padding_is_told_by_the_mask_even_where_the_pad_id_is_a_word(sequences, pad):
    ids, mask = collate(sequences, pad=pad)
    for row, row_ids, row_mask in zip(sequences, ids, mask, strict=True):
        assert row_ids[row_mask == 1].tolist() == row
    targets = next_token_targets(ids, mask)
    assert [row[row != IGNORED].tolist() for row in targets] == [row[1:] for row in sequences]


@given(seed=st.integers(0, 2**32), stream=st.integers(0, 3), step=st.integers(1, 10**6))
def test_a_draw_is_a_pure_function_of_seed_stream_and_step(seed, stream, step):
    numbers = {"seed": seed, "stream": stream, "step": step}
    first = sample_indices(40, size=16, **numbers)
    np.random.seed(seed % 2**32)
    torch.rand(3)
    sample_indices(40, size=16, seed=seed, stream=stream, step=step + 1)
    assert sample_indices(40, size=16, **numbers) == first


@pytest.mark.parametrize("name", ["seed", "stream", "step"])
def test_each_number_changes_the_draw(name):
    numbers = {"seed": 1, "stream": 1, "step": 1}
    draws = {tuple(sample_indices(1000, size=16, **(numbers | {name: value}))) for value in range(1, 50)}
    assert len(draws) == 49


def test_draws_are_with_replacement_and_even():
    draws = [sample_indices(10, size=100, seed=0, stream=0, step=step) for step in range(100)]
    counts = Counter(index for draw in draws for index in draw)
    assert set(counts) == set(range(10))
    assert all(850 < count < 1150 for count in counts.values())  # 1000 each, five standard deviations
    assert sample_indices(1, size=3, seed=0, stream=0, step=0) == [0, 0, 0]


def test_a_draw_is_the_same_on_every_machine_and_version():
    assert sample_indices(40, size=6, seed=0, stream=0, step=1) == [35, 17, 1, 15, 30, 23]


@given(count=st.integers(1, 12), size=st.integers(1, 20), seed=st.integers(0, 99), steps=st.integers(1, 8))
def test_in_turn_every_sequence_is_taken_once_before_any_is_taken_again(count, size, seed, steps):
    drawn = [
        i for step in range(1, steps + 1) for i in cyclic_indices(count, size=size, seed=seed, stream=0, step=step)
    ]
    rounds = [drawn[start : start + count] for start in range(0, len(drawn), count)]
    assert all(sorted(taken) == list(range(count)) for taken in rounds[:-1])
    assert len(set(rounds[-1])) == len(rounds[-1])


def test_every_round_of_a_seed_has_an_order_of_its_own_and_each_stream_too():
    rounds = [
        tuple(cyclic_indices(20, size=20, seed=s, stream=t, step=n)) for s in (0, 1) for t in (0, 1) for n in (1, 2)
    ]
    assert len(set(rounds)) == len(rounds)


@given(count=st.integers(1, 50), seed=st.integers(0, 99))
def test_of_one_seed_a_smaller_share_is_part_of_a_larger(count, seed):
    shares = [choose_fraction(count, share, seed=seed) for share in (0.05, 0.1, 0.25, 0.5, 1.0)]
    assert all(set(small) <= set(large) for small, large in itertools.pairwise(shares))
    assert shares[-1] == list(range(count))
    assert len(shares[0]) == -(-count // 20)


def test_shares_of_two_seeds_differ():
    assert choose_fraction(40, 0.25, seed=0) != choose_fraction(40, 0.25, seed=1)
