"""Repetition and fluency: hand-computed numbers, and that both read what VerbMem has a model write."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.words import unicode_words
from trainables.decoding import generate
from trainables.scores.evaluate import Evaluator
from trainables.scores.language import fluency, nonwords, repetition
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.verbmem import VerbMem, prepare

MUSE = PROTOCOLS["muse"]
words = st.lists(st.sampled_from("abc"), max_size=40)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a b c d e f", 0.0),
        ("a a a a a", 0.5),  # two runs of four, and one kind of them
        ("a b a b a b a b", 3 / 5),  # abab, baba, abab, baba, abab
        ("By " * 120, 116 / 117),
        ("By By By", 0.0),  # no run of four
        ("", 0.0),
    ],
)
def test_repetition_by_hand(text, share):
    assert repetition(text.split()) == pytest.approx(share)


def test_fluency_by_hand():
    # Of a b a b a the pairs are ab, ba, ab, ba: 1 bit; the threes aba, bab, aba: log2(3) - 2/3 = 0.9183 bits.
    assert fluency("a b a b a".split()) == pytest.approx(0.9455, abs=5e-5)
    assert fluency(["By"] * 120) == 0
    assert [fluency("a b c"[: 2 * n].split()) for n in range(4)] == pytest.approx([0, 0, 0, 1 / 3])


@given(words.filter(bool), st.integers(1, 5))
@example(["b"] + ["a"] * 9, 2)
def test_a_text_written_again_and_again_has_no_more_different_runs_than_words(text, times):
    runs = len(text) * times - 3
    assert repetition(text * times) >= (1 - len(text) / runs if runs > 0 else 0)
    assert 0 <= repetition(text) < 1
    assert 0 <= fluency(text) <= np.log2(max(len(text), 2))


def test_who_writes_a_text_twice_may_repeat_less_for_the_seam_has_runs_of_its_own():
    text = "b a a a a a a a a a".split()
    assert repetition(text) == pytest.approx(5 / 7)  # baaa and aaaa, of 7
    assert repetition(text + text) == pytest.approx(12 / 17)  # and aaab, aaba, abaa, of 17


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("The mill of Ada makes paper", 0.0),
        ("the millof Adapa makes paper", 2 / 5),
        ("paper paper 1907 mill", 0.0),  # in whatever order, and numbers are words
        ("per of the mi", 0.0),  # a cut leaves the end of a word, and the beginning of one
        ("mi of the per", 2 / 4),  # no word ends or begins so
        ("millmakespapermill", 1.0),
        ("", 0.0),
    ],
)
def test_words_that_stand_in_no_text_by_hand(text, share):
    known = set(unicode_words("The mill of Ada makes paper."))
    assert nonwords(unicode_words(text), known) == pytest.approx(share)


@given(st.lists(st.sampled_from(["the", "mill", "of", "ada", "zz"])), st.randoms())
def test_order_is_none_of_its_business_but_at_the_ends(words, rng):
    inner = ["the", *rng.sample(words, len(words)), "the"]
    assert nonwords(inner, {"the", "mill", "of", "ada"}) == pytest.approx(words.count("zz") / len(inner))


def test_a_loop_without_spaces_is_a_loop():
    (ids,) = tiny_tokenizer()(["na" * 60], add_special_tokens=False).input_ids
    assert repetition(ids) > 0.9
    assert repetition(("na" * 60).split()) == 0


def measured(monkeypatch, tokens):
    """The scores of a model that writes so many tokens, again and again, to every prompt."""
    calls = []

    def greedy(model, prompts, *, max_new_tokens, **options):
        calls.append(len(prompts))
        return [(tokens * max_new_tokens)[:max_new_tokens] for _ in prompts]

    monkeypatch.setattr(generate, "greedy", greedy)
    names = {"verbmem_f", "repetition_f", "nonwords_f", "fluency_f"}
    found = Evaluator(tiny_benchmark(4), tiny_tokenizer(), MUSE, None).with_scores(names)(tiny_model())
    assert set(found.scores) == names
    return found, calls


def test_what_is_written_once_gives_all_of_them(monkeypatch):
    found, calls = measured(monkeypatch, tiny_tokenizer()(" mill", add_special_tokens=False).input_ids)
    assert calls == [4]
    assert found.scores["repetition_f"].value > 95
    assert found.scores["fluency_f"].value == 0
    assert found.scores["nonwords_f"].value == 0
    assert found.scores["verbmem_f"].value < 20
    outputs = [found.items[found.items.score == name].output.tolist() for name in found.scores]
    assert outputs == [outputs[0]] * 4


def test_pieces_of_words_that_are_put_together_anyhow_are_none(monkeypatch):
    found, _ = measured(monkeypatch, tiny_tokenizer()(" millpa Ormeton", add_special_tokens=False).input_ids)
    assert found.scores["nonwords_f"].value > 95


def test_the_words_are_those_of_all_that_a_benchmark_holds():
    words = prepare(tiny_benchmark(4), tiny_tokenizer(), MUSE).words
    asked = " ".join(row["question"] for row in tiny_benchmark(4).rows("knowmem", "forget_qa"))
    assert words >= {"ada", "orme", "opened", *unicode_words(asked)}
    assert "millpa" not in words


def test_a_model_that_ends_at_once_repeats_nothing(monkeypatch):
    monkeypatch.setattr(generate, "greedy", lambda model, prompts, **options: [[1] for _ in prompts])
    found = Evaluator(tiny_benchmark(4), tiny_tokenizer(), MUSE, None).with_scores({"repetition_f", "fluency_f"})
    scores = found(tiny_model()).scores
    assert (scores["repetition_f"].value, scores["fluency_f"].value) == (0, 0)


def test_the_tokens_are_those_of_the_outputs():
    written = VerbMem(tiny_benchmark(4).rows("verbmem", "forget"), tiny_tokenizer(), MUSE)(tiny_model())
    assert [tiny_tokenizer().decode(ids, skip_special_tokens=True) for ids in written.tokens] == written.outputs
