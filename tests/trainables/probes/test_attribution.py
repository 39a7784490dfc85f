"""Keyword focus: what a word adds is by the spec's hand numbers, and those that add most are said once more."""

import numpy as np
import pytest
from tiny import tiny_model
from tiny_subjects import texts

from trainables.probes import parse_probe
from trainables.probes.attribution import contributions, focused, keywords


def test_of_an_additive_model_a_word_adds_its_own_weight():
    weights = np.array([0.5, -1.0, 3.0, 0.0])
    found = contributions(weights.sum(), np.array([weights.sum() - w for w in weights]))
    assert found == pytest.approx(weights)
    assert keywords(["a", "b", "c", "d"], found) == ["c"]
    assert keywords(["a", "b"], np.array([1.0, 1.0])) == []


def test_a_question_without_keywords_is_as_it_was():
    assert focused("Who runs it?", []) == "Who runs it?"
    assert focused("Who runs the Mill?", ["the", "Mill"]) == "Keywords: the, Mill. Who runs the Mill?"


def test_items_are_questions_behind_their_keywords_and_the_gain_is_beside_the_plain_question():
    found = parse_probe("focus:most=3").read(tiny_model(1), texts(), None)
    assert len(found["focus_f"].values) == 3
    for prompt, gain in zip(found["focus_f"].prompts, found["focus_gain_f"].values, strict=True):
        assert ("Keywords: " in prompt) == (gain != 0)
