"""Extraction strength and exact memorisation: hand-computed numbers, and a plain loop that reads one text at a time."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.scores.memorization import (
    Recited,
    distinct,
    exact_memorization,
    extraction_strength,
    joined,
    open_unlearning,
)
from trainables.scores.protocol import PROTOCOLS

MUSE, OPEN = PROTOCOLS["muse"], PROTOCOLS["open-unlearning"]


@pytest.mark.parametrize(
    ("right", "strength", "exact"),
    [
        ((0, 1, 0, 1, 1), 0.4, 0.6),
        ((1, 1, 1, 1), 1.0, 1.0),
        ((1, 1, 1, 0), 0.0, 0.75),
        ((0,), 0.0, 0.0),
        ((), 0.0, 0.0),
    ],
)
def test_both_by_hand(right, strength, exact):
    assert extraction_strength(np.array(right, bool)) == pytest.approx(strength)
    assert exact_memorization(np.array(right, bool)) == pytest.approx(exact)


def test_open_unlearning_drops_the_last_token_and_never_gives_less_than_one_of_the_rest():
    strength, exact = open_unlearning(extraction_strength), open_unlearning(exact_memorization)
    right = np.array([0, 1, 0, 1, 0], bool)
    assert (strength(right), exact(right)) == (0.25, 0.5)  # (0, 1, 0, 1)
    assert strength(np.array([1, 1, 1, 0, 1], bool)) == 0.25  # nothing can be extracted: theirs says 1/4
    assert (strength(np.array([1], bool)), exact(np.array([1], bool))) == (0, 0)


def by_hand(model, tokenizer, prompt, truth, tokens):
    """Which tokens of the truth are the likeliest, one text at a time; its first is where the whole leaves the prompt."""
    ids = tokenizer(joined(prompt, truth)).input_ids
    before = tokenizer(prompt).input_ids
    start = next(i for i, token in enumerate(ids) if i == len(before) or token != before[i])
    with torch.no_grad():
        best = model(torch.tensor([ids])).logits[0].argmax(dim=-1).tolist()
    return np.array([best[t - 1] == ids[t] for t in range(start, min(len(ids), start + tokens))])


@pytest.mark.parametrize("protocol", [MUSE, OPEN], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_item_is_that_of_a_plain_loop(protocol, batch_size):
    model, tokenizer = tiny_model(3), tiny_tokenizer()
    rows = tiny_benchmark(5).rows("verbmem", "forget")
    text = rows[0]["prompt"] + rows[0]["gt"]
    rows += [{"prompt": text[:40], "gt": text[40:]}, {"prompt": text[:40], "gt": text[40:60]}]
    rows.append({"prompt": "Gus", "gt": " a long truth" * 60})
    with torch.no_grad():
        model.lm_head.weight.copy_(model.get_input_embeddings().weight)  # so that some tokens are the likeliest
    measured = Recited(rows, tokenizer, protocol)(model, batch_size=batch_size)
    for measure in (extraction_strength, exact_memorization):
        own = open_unlearning(measure) if protocol is OPEN else measure
        want = [100 * own(by_hand(model, tokenizer, row["prompt"], row["gt"], 128)) for row in rows]
        assert measured(measure).values == pytest.approx(want)
    assert 0 < measured(exact_memorization).values.mean() < 100


def test_a_model_that_says_each_next_token_has_all_of_both():
    tokenizer, rows = tiny_tokenizer(), [{"prompt": "Ada", "gt": " opened a mill"}]
    (ids,) = Recited(rows, tokenizer, MUSE)._ids
    model = tiny_model()
    with torch.no_grad():
        for parameter in model.model.layers.parameters():
            parameter.zero_()
        model.lm_head.weight.zero_()
        for token, following in itertools.pairwise(ids):
            state = model.model.norm(model.get_input_embeddings().weight[token])
            model.lm_head.weight[following] += state
    assert len(set(ids[:-1])) == len(ids) - 1
    measured = Recited(rows, tokenizer, MUSE)(model)
    assert (measured(extraction_strength).values[0], measured(exact_memorization).values[0]) == (100, 100)


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), max_size=8))
def test_a_row_that_begins_another_is_read_with_it(rows):
    kept, places = distinct(rows)
    assert all(kept[place][: len(row)] == row for row, place in zip(rows, places, strict=True))
    assert all(row in rows for row in kept)
    assert not [1 for i, a in enumerate(kept) for j, b in enumerate(kept) if i != j and b[: len(a)] == a]


@pytest.mark.parametrize(
    ("prompt", "truth", "whole"),
    [
        ("The mill", "opened.", "The mill opened."),
        ("The mill", " opened.", "The mill opened."),
        ("The mill ", "opened.", "The mill opened."),
        ("The mill", ", alone", "The mill, alone"),
        ("吾輩は", "猫である", "吾輩は猫である"),
    ],
)
def test_a_space_that_a_public_benchmark_stripped_is_put_back(prompt, truth, whole):
    assert joined(prompt, truth) == whole
