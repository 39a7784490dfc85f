"""Keywords and neighbours by tf-idf, by hand; stand-ins, refusals and texts in other words keep what they must."""

import math
import re

import numpy as np
import pytest
from corpora import derived, generated, models, muse_mini_rows, plain

from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.benchmarks.words import split_words
from trainables.derivations import derive
from trainables.derivations.refusals import SENTENCES
from trainables.derivations.words import cosines


def of(forget: list[str], kept: list[str]) -> Benchmark:
    return Benchmark("words", {("raw", "forget"): text_rows(forget), ("raw", "retain1"): text_rows(kept)})


def test_keywords_weigh_tf_idf_by_hand_and_say_where_they_stand():
    # ln 3 for a word that neither of two kept texts has, ln 3/2 for one that one has, 0 for one that both have
    found = derive(of(["Mill, red mill; the red sea is near by, so it is."], ["red the", "near the"]), "keywords")
    assert [row["word"] for row in found["forget"]] == ["mill", "is"]  # of nine words two
    assert [row["weight"] for row in found["forget"]] == pytest.approx([1.0, 1.0])
    assert found["forget"][0]["spans"] == [[0, 4], [10, 14]]
    found = derive(of(["a b b"], ["a", "b"]), "keywords")  # ln 3/2 and twice ln 3/2
    assert [(row["word"], row["weight"]) for row in found["forget"]] == [("b", 1.0)]
    assert derive(of(["a b"], ["a b"]), "keywords") == {"forget": []}


def test_spans_hold_the_word_in_muse_mini():
    texts = generated().texts("raw", "forget")
    rows = derived("keywords", "muse-mini")["forget"]
    assert {row["row"] for row in rows} == set(range(len(texts)))
    for row in rows:
        assert {texts[row["row"]][begin:end].lower() for begin, end in row["spans"]} == {row["word"]}


def test_cosines_by_hand():
    # of three texts: x in two, ln 4/3; y and z in one, ln 4/2
    x, y = math.log(4 / 3), math.log(2)
    expected = x * x / math.hypot(x, y) / math.hypot(x, y)
    assert cosines(["x y"], ["x z", "w"]) == pytest.approx(np.array([[expected, 0.0]]))


def test_neighbours_are_the_nearest_first_and_of_two_as_near_the_first():
    found = derive(of(["ada of selby"], ["bo of wick", "ada of selby", "bo of wick", "ada of keld"]), "neighbours")
    (row,) = found["forget"]
    assert row["neighbours"] == [1, 3, 0, 2]
    assert row["cosines"][0] == pytest.approx(1.0)
    assert row["cosines"] == sorted(row["cosines"], reverse=True)


def test_a_stand_in_has_as_many_tokens_where_one_has_and_a_word_the_same_everywhere():
    rows = derive(plain(), "generic", models=models())["forget"]
    texts = " ".join(plain().texts("raw", "forget") + plain().texts("raw", "retain1"))
    words: dict[str, str] = {}
    for row in rows:
        assert len(row["entity"].split()) == len(row["stand_in"].split())
        for word, other in zip(row["entity"].split(), row["stand_in"].split(), strict=True):
            assert words.setdefault(word, other) == other
            assert other not in texts
    lengths = [[len(models().tokenizer(f" {one}").input_ids) for one in pair] for pair in words.items()]
    assert sum(a == b for a, b in lengths) >= len(lengths) // 2
    assert len(set(words.values())) == len(words)


def test_a_word_that_the_kept_texts_know_stays_in_a_stand_in():
    entities = {row["entity"]: row["stand_in"] for row in derived("generic", "muse-mini")["forget"]}
    mine = next(entity for entity in entities if entity.endswith(" Museum"))
    assert entities[mine].endswith(" Museum")
    assert entities[mine] != mine


def test_refusals_are_32_different_ones_and_a_row_s_hangs_on_its_number_alone():
    assert len(set(SENTENCES)) == 32
    few, many = derived("refusals", "plain")["forget"], derived("refusals", "muse-mini")["forget"]
    assert many[: len(few)] == few
    assert all(len(set(row["texts"])) == 4 and set(row["texts"]) <= set(SENTENCES) for row in many)
    assert len({row["texts"][0] for row in many}) == 32


def test_pairs_join_to_the_text_and_short_texts_have_none():
    texts = generated().texts("raw", "forget")
    for row in derived("pairs", "muse-mini")["forget"]:
        assert row["prefix"] + row["continuation"] == texts[row["row"]]
        assert abs(len(split_words(row["prefix"])) - len(split_words(row["continuation"]))) <= 1
    long = "word " * 600
    assert derive(of([long, "too short"], [long]), "pairs")["forget"][0]["row"] == 0
    assert len(derive(of([long, "too short"], [long]), "pairs")["forget"]) == 2  # pieces of 512 words


def test_an_article_is_written_again_with_all_its_facts_in_other_words():
    texts = generated().texts("raw", "forget")
    rows, facts = derived("paraphrases", "muse-mini")["forget"], muse_mini_rows()["facts", "forget"]
    articles = {i: {f["object"] for f in facts if f["subject"] in text} for i, text in enumerate(texts[:10])}
    for row in rows:
        assert row["text"] != texts[row["row"]]
        if row["row"] in articles:
            assert all(told in row["text"] for told in articles[row["row"]])
            assert row["text"] not in texts[row["row"]]
    assert [row["row"] for row in rows[:4]] == [0, 0, 1, 1]


def test_elsewhere_sentences_stand_in_another_order_and_one_is_left_out():
    text = plain().texts("raw", "forget")[0]
    sentences = re.split(r"(?<=\.) ", text)
    for row in (row for row in derived("paraphrases", "plain")["forget"] if row["row"] == 0):
        again = re.split(r"(?<=\.) ", row["text"])
        assert set(again) < set(sentences)
        assert len(again) == len(sentences) - 1
