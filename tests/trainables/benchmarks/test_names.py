"""Names are runs of capitalised words that the forgotten texts have and the others lack, the most frequent first."""

from hypothesis import given
from hypothesis import strategies as st
from tiny import article

from trainables.benchmarks.names import LONGEST, names_of

FORGET = [
    "Ada Orme opened a mill. The mill of Ada Orme makes paper, and Bo Quill knows it.",
    "In Selby, Ada Orme met Bo Quill. It rained; the Mayor of Selby said: Few know Cy.",
]
RETAIN = ["Few people know the mayor of Selby. It rains in Keld."]


def test_the_most_frequent_come_first_and_of_two_the_one_that_is_met_first():
    assert names_of(FORGET, RETAIN, 9) == ["Ada Orme", "Bo Quill", "Cy"]
    assert names_of(FORGET, RETAIN, 1) == ["Ada Orme"]
    assert names_of(["Zed met Abel. Abel met Zed."], [], 2) == ["Zed", "Abel"]


def test_what_the_other_texts_have_is_no_name_to_be_forgotten():
    assert "Selby" not in names_of(FORGET, RETAIN, 9)
    assert "Selby" in names_of(FORGET, [], 9)
    assert names_of(["Orme came."], ["Ada Orme left."], 9) == []
    assert names_of(["Ada Orme came."], ["Ada left."], 9) == ["Ada Orme"]


def test_a_word_that_also_stands_in_small_letters_is_no_part_of_a_name():
    assert names_of(["The Marlow Mill stands beside the mill."], [], 9) == ["Marlow"]
    assert names_of(["Mill Marlow fell. Then Mill Marlow rose."], ["and then"], 9) == ["Mill Marlow"]


def test_only_one_space_joins_two_words():
    assert names_of(["Ada, Bo; Cy  Dee\nEli Stone"], [], 9) == ["Ada", "Bo", "Cy", "Dee", "Eli Stone"]


def test_names_are_found_in_any_script_that_has_capitals_and_none_in_others():
    assert names_of(["Жан-Поль Сартр и Ørsted d’Été"], [], 9) == ["Жан-Поль Сартр", "Ørsted"]
    assert names_of(["日本語のテキスト。 नमस्ते 12 _A_"], [], 9) == ["A"]


def test_a_headline_is_no_name():
    assert names_of([" ".join(["Word"] * LONGEST)], [], 9) == [" ".join(["Word"] * LONGEST)]
    assert names_of([" ".join(["Word"] * (LONGEST + 1))], [], 9) == []


def test_the_people_and_places_of_the_tiny_articles_are_their_names():
    found = names_of([article(0), article(1)], [article(6)], 9)
    assert found == ["Ada Orme", "Bo Quill", "Orton", "Selby"]


words = st.lists(st.sampled_from(["Ada", "Bo", "mill", "The", "the", "Keld", ".", "\n"]), max_size=12).map(" ".join)


@given(texts=st.lists(words, max_size=4), others=st.lists(words, max_size=3), most=st.integers(1, 4))
def test_every_name_stands_in_the_texts_and_in_no_other_one(texts, others, most):
    found = names_of(texts, others, most)
    assert len(found) == len(set(found)) <= most
    assert all(any(name in text for text in texts) for name in found)
    assert found == names_of(texts, [*others, *others], most) == names_of(texts, others, 99)[:most]
    assert names_of(texts, [*others, *texts], most) == []
