"""Words are those of rouge-score in ASCII, and in any other script what its readers take for words or characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenize import tokenize

from trainables.benchmarks.words import split_sentences, split_words, unicode_words

ascii_texts = st.text(st.characters(codec="ascii"))
texts = st.text() | st.text("aé. 東京。」「はー, ที่กำ\n")


@given(ascii_texts)
def test_the_words_of_an_ascii_text_are_those_of_rouge_score(text):
    assert unicode_words(text) == tokenize(text, stemmer=None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ещё раз: «Ёлка»!", ["ещё", "раз", "ёлка"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("cafe\u0301 café", ["café", "café"]),  # two spellings of one letter
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),  # vowel signs are marks, and part of the word
        ("東京は２３区。", ["東", "京", "は", "23", "区"]),
        ("ラーメン", ["ラ", "ー", "メ", "ン"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("서울은 수도이다", ["서울은", "수도이다"]),  # Korean has spaces
        ("GPT4は良いmodelです", ["gpt4", "は", "良", "い", "model", "で", "す"]),
        ("snake_case … 😀 ?!", ["snake", "case"]),
    ],
)
def test_words_of_other_scripts_by_hand(text, words):
    assert unicode_words(text) == words


@given(texts)
def test_words_ignore_case_and_the_way_a_letter_is_encoded(text):
    assert unicode_words(" ".join(unicode_words(text))) == unicode_words(text)


@given(texts)
def test_pieces_and_sentences_join_to_their_text(text):
    assert "".join(split_words(text)) == text
    assert "".join(split_sentences(text)) == text


@given(ascii_texts.map(str.lstrip))
def test_where_words_stand_between_spaces_a_piece_is_a_word_with_the_space_before_it(text):
    assert split_words(text) == [f" {word}" if i else word for i, word in enumerate(text.split(" "))][bool(not text) :]


def test_pieces_of_texts_without_spaces_are_characters_with_their_marks_and_commas():
    assert split_words("東京は、広い。") == ["東", "京", "は、", "広", "い。"]
    assert split_words("ที่ กำ") == ["ที่", " ก", "ำ"]
    assert split_words("は、abc") == ["は、", "abc"]
    assert split_words("今日はPython 3を学ぶ") == ["今", "日", "は", "Python", " 3", "を", "学", "ぶ"]


def test_sentences_end_at_marks_of_many_scripts():
    assert split_sentences("One. Two? 3.5 and so on") == ["One.", " Two?", " 3.5 and so on"]
    assert split_sentences("Question: who?\nAnswer: one; or two.\n\nNone") == [
        *("Question: who?", "\nAnswer: one; or two.", "\n\nNone")
    ]
    assert split_sentences("「はい。」と言った。次！") == ["「はい。」", "と言った。", "次！"]
    assert split_sentences("यह एक है। वह दो है।") == ["यह एक है।", " वह दो है।"]
    assert split_sentences("هل هذا؟ نعم") == ["هل هذا؟", " نعم"]
