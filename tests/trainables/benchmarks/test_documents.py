"""Plain text becomes a benchmark: no word is lost or doubled, and what is missing is absent and not made up."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks.documents import _continuations, cut, from_texts, read_questions, read_texts
from trainables.benchmarks.layout import load_benchmark, write_benchmark

words = st.text("abcxyzäß-’", min_size=1, max_size=6)
sentences = st.lists(words, min_size=1, max_size=30).map(lambda w: " ".join(w) + ".")
documents = st.lists(sentences, min_size=1, max_size=20).map("\n ".join)


def text(name, passages):
    """A text of so many sentences of 10 words, no word of which stands anywhere else."""
    return " ".join(" ".join(f"{name}{i}w{j}" for j in range(10)) + "." for i in range(passages))


def lay_out(**changes):
    texts = {"forget": [text("f", 8)], "retain": [text("r", 9), text("s", 9)], "holdout": [text("h", 5)]}
    return from_texts(**(texts | {"words": 10} | changes))


def texts_of(splits, config, split):
    return [row["text"] for row in splits[config, split]]


@given(text=documents, size=st.integers(10, 40))
def test_no_word_is_lost_doubled_or_moved(text, size):
    assert " ".join(cut([text], size)).split() == text.split()


@given(text=documents, size=st.integers(10, 40))
def test_a_passage_has_at_least_its_words_but_for_a_last_one_of_no_less_than_half(text, size):
    lengths = [len(passage.split()) for passage in cut([text], size)]
    assert all(length >= size for length in lengths[:-1])
    assert len(lengths) == 1 or lengths[-1] >= size / 2


@given(text=documents, size=st.integers(15, 40))
def test_passages_end_where_sentences_end(text, size):
    assert all(passage.endswith(".") for passage in cut([text], size))


def test_passages_by_hand():
    text = "One two three. Four five! Six seven eight; nine ten. Eleven."
    assert cut([text], 5) == ["One two three. Four five!", "Six seven eight; nine ten. Eleven."]
    assert cut([text, "Another text."], 4) == [
        "One two three. Four five!",
        "Six seven eight; nine ten. Eleven.",
        "Another text.",
    ]


def test_a_last_passage_of_half_its_words_stands_alone_and_a_shorter_one_joins_the_one_before():
    assert cut(["a b c d. e f."], 4) == ["a b c d.", "e f."]
    assert cut(["a b c d. e."], 4) == ["a b c d. e."]
    assert cut(["e."], 4) == ["e."]


def test_what_is_made_is_read_back_as_a_benchmark(tmp_path):
    splits = lay_out(questions={side: [{"question": q, "answer": "a"} for q in "xyz"] for side in ("forget", "retain")})
    write_benchmark(tmp_path / "b", splits)
    benchmark = load_benchmark(tmp_path / "b")
    assert benchmark.splits == splits
    assert {config for config, _ in splits} == {
        "raw", "train", "verbmem", "knowmem", "privleak", "scal", "sust", "utility"
    }  # fmt: skip


def test_forget_retain1_retain2_and_holdout_have_no_passage_in_common_and_hold_every_word():
    splits = lay_out()
    sides = {name: texts_of(splits, "raw", name) for name in ("forget", "retain1", "retain2", "holdout")}
    everything = [word for passages in sides.values() for passage in passages for word in passage.split()]
    given = [text("f", 8), text("r", 9), text("s", 9), text("h", 5)]
    assert sorted(everything) == sorted(" ".join(given).split())
    assert {name: len(passages) for name, passages in sides.items()} == {
        "forget": 8, "retain1": 9, "retain2": 9, "holdout": 5
    }  # fmt: skip


def test_the_first_half_of_each_retain_text_is_regularised_on_and_the_second_judged():
    splits = lay_out()
    first, second = texts_of(splits, "raw", "retain1"), texts_of(splits, "raw", "retain2")
    assert " ".join(first[:5] + second[:4]) == text("r", 9)
    assert " ".join(first[5:] + second[4:]) == text("s", 9)


def test_many_texts_of_one_passage_are_shared_out_between_both_sides():
    splits = lay_out(retain=[text(letter, 1) for letter in "rstuvwxyz"])
    assert [len(splits["raw", side]) for side in ("retain1", "retain2")] == [5, 4]


def test_verbmem_s_prompt_and_truth_join_to_the_passage():
    splits = lay_out()
    rows = splits["verbmem", "forget"]
    assert [row["prompt"] + row["gt"] for row in rows] == texts_of(splits, "raw", "forget")
    assert {len(row["prompt"].split()) for row in rows} == {5}


def test_the_models_are_trained_on_all_but_the_holdout_and_on_all_but_the_forget_texts():
    splits = lay_out()
    raw = {name: texts_of(splits, "raw", name) for name in ("forget", "retain1", "retain2")}
    assert texts_of(splits, "train", "full") == raw["forget"] + raw["retain1"] + raw["retain2"]
    assert texts_of(splits, "train", "retain") == raw["retain1"] + raw["retain2"]


def test_the_attacks_read_forget_retain2_and_holdout():
    splits = lay_out()
    for split, raw in (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout")):
        assert splits["privleak", split] == splits["raw", raw]


def test_without_holdout_texts_there_is_no_privleak_and_no_empty_split():
    splits = lay_out(holdout=[])
    assert not [key for key in splits if key[0] == "privleak" or key[1] == "holdout"]


def test_without_questions_there_is_no_knowmem():
    assert not [key for key in lay_out() if key[0] == "knowmem"]


@pytest.mark.parametrize(("count", "shots"), [(2, 1), (3, 1), (10, 5), (40, 10)])
def test_questions_are_shots_or_asked_and_never_both(count, shots):
    rows = [{"question": f"q{i}", "answer": f"a{i}"} for i in range(count)]
    splits = lay_out(questions={"forget": rows, "retain": rows[::-1]})
    assert splits["knowmem", "forget_qa_icl"] + splits["knowmem", "forget_qa"] == rows
    assert splits["knowmem", "retain_qa_icl"] + splits["knowmem", "retain_qa"] == rows[::-1]
    assert len(splits["knowmem", "forget_qa_icl"]) == shots


@settings(max_examples=30)
@given(passages=st.integers(4, 25))
def test_scal_grows_by_quarters_and_sust_is_cut_into_them(passages):
    splits = lay_out(forget=[text("f", passages)])
    forget = texts_of(splits, "raw", "forget")
    scal = [texts_of(splits, "scal", f"forget_{k}") for k in range(1, 5)]
    sust = [texts_of(splits, "sust", f"forget_{k}") for k in range(1, 5)]
    assert sum(sust, []) == forget
    for k, nested in enumerate(scal):
        assert nested == sum(sust[: k + 1], [])
        assert abs(len(sust[k]) - passages / 4) < 1


def test_the_utility_test_asks_how_a_kept_passage_goes_on():
    splits = lay_out(retain=[" ".join(text(f"r{i}", 2) for i in range(8))], holdout=[], words=20)
    passages = texts_of(splits, "raw", "retain2")
    for passage, row in zip(passages, splits["utility", "test"], strict=True):
        choices = row["choices"]
        right = choices[int(row["answer"])]
        assert (row["prompt"] + right) == " ".join(
            passage.split()[: 13 + 7]
        )  # two thirds of 20 words, and what is left
        assert len(set(choices)) == 4
        assert [choice in passage for choice in choices].count(True) == 1


def test_the_same_seed_gives_the_same_benchmark_and_another_one_other_choices():
    assert lay_out() == lay_out()
    other = lay_out(seed=1)
    assert {key for key in other if other[key] != lay_out()[key]} == {("utility", "test")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forget": [text("f", 3)]}, "the forget texts give 3 passages of 10 words for forget: at least 4 are needed"),
        ({"holdout": [text("h", 2)]}, "the holdout texts give 2 passages of 10 words for holdout"),
        ({"retain": [text("r", 7)]}, "the retain texts give 3 passages of 10 words for retain2"),
        (
            {"retain": [text("r", 8), text("f", 8)]},
            "8 of 16 passages of the retain texts stand in the forget texts too .* the first: 'f0",
        ),
        ({"holdout": [text("f", 8)]}, "8 of 8 passages of the holdout texts stand in the forget texts"),
        ({"words": 1000}, r"add text or make passages shorter \(--words\)"),
    ],
)
def test_too_little_text_is_told_with_what_is_needed(changes, message):
    with pytest.raises(ValueError, match=message):
        lay_out(**changes)


def test_texts_are_read_in_order_as_utf_8(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_text(f"{name} Übermut, 東京", encoding="utf-8")
    assert read_texts([tmp_path / "b", tmp_path / "a"]) == ["b Übermut, 東京", "a Übermut, 東京"]


def test_a_file_that_is_missing_empty_or_no_text_is_named(tmp_path):
    (tmp_path / "empty").write_text(" \n\t")
    (tmp_path / "binary").write_bytes(b"\x80\x81\xff")
    for name, message in (("none", ".*not a file"), ("empty", "is empty"), ("binary", ".*not UTF-8 text")):
        with pytest.raises(ValueError, match=f"'{tmp_path / name}' {message}"):
            read_texts([tmp_path / name])
    with pytest.raises(ValueError, match="it is not a file"):
        read_texts([tmp_path])


FOUR = 'forget,Who?,Bo\nforget,When?,"May 1, noon"\nretain,Where?,Wick\nretain,NA,007\n'


def questions(tmp_path, content):
    file = tmp_path / "qa.csv"
    file.write_text(content, encoding="utf-8")
    return read_questions(file)


def test_questions_are_read_letter_by_letter_and_other_columns_passed_over(tmp_path):
    read = questions(
        tmp_path, "answer,set,question,note\nBo,forget,Who?,x\nMay,forget,When?,\n007,retain,NA,\n1,retain,b,\n"
    )
    assert read["forget"] == [{"question": "Who?", "answer": "Bo"}, {"question": "When?", "answer": "May"}]
    assert read["retain"] == [{"question": "NA", "answer": "007"}, {"question": "b", "answer": "1"}]
    assert questions(tmp_path, "set,question,answer\n" + FOUR)["forget"][1]["answer"] == "May 1, noon"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("set,question\nforget,Who?\n", r"has no column 'answer' \(found: set, question\)"),
        ("set,question,answer\nkeep,Who?,Bo\n" + FOUR, "set 'keep' is unknown: choose forget or retain"),
        ("set,question,answer\nforget,Who?,Bo\n", "has 1 questions of the set forget: at least 2 are needed"),
        ("set,question,answer\nforget,a,b\nforget,c,d\n", "has 0 questions of the set retain"),
        ("set,question,answer\nforget,Who?\n" + FOUR, "row 1 has no answer"),
        ("set,question,answer\nforget,,Bo\n" + FOUR, "row 1 has no question"),
        ("", "cannot be read: No columns"),
        ('set,question,answer\nforget,"Who?,Bo\n', "cannot be read"),
        ("set,question,answer\nforget,Who?,Bo,more,and more\n" + FOUR, "qa.csv"),
    ],
)
def test_a_question_file_that_will_not_do_is_named_with_what_is_wrong(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as error:
        questions(tmp_path, content)
    assert str(tmp_path / "qa.csv") in str(error.value)


def test_a_question_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"qa.csv' cannot be read: it is not a file"):
        read_questions(tmp_path / "qa.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("set;question;answer\nforget;Who?;Bo\n", r"no column 'set' \(found: set;question;answer; commas separate col"),
        ("set,question,answer\n", "has no rows"),
        ("set,question,answer\nforget,What?,?!\n" + FOUR, "row 1: answer '\\?!' has no letter or digit"),
        ("set,question,answer\n" + FOUR + "retain,Who?,Cy\n", "row 5 asks what row 1 asks"),
    ],
)
def test_questions_that_could_not_be_scored_or_read_are_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        questions(tmp_path, content)


def test_a_byte_order_mark_belongs_to_no_column_and_no_passage(tmp_path):
    assert questions(tmp_path, "\ufeffset,question,answer\n" + FOUR)["retain"][1] == {"question": "NA", "answer": "007"}
    (tmp_path / "joined").write_text("\ufeffOne.\n\ufeffTwo.", encoding="utf-8")
    assert read_texts([tmp_path / "joined"]) == ["One.\nTwo."]


NOVEL = "".join(f"{chr(0x4E00 + i)}第{i % 10}回，他們走了。" for i in range(60))
THAI = " ".join("กขคงจฉชซ" * 3 for _ in range(40))


@pytest.mark.parametrize("text", [NOVEL, THAI, "道" * 400], ids=["Chinese", "Thai", "no marks at all"])
def test_texts_without_spaces_are_cut_by_characters(text):
    passages = cut([text], 20)
    assert "".join(passages).replace(" ", "") == text.replace(" ", "")
    assert len(passages) > 10
    assert all(10 <= len(passage.replace(" ", "")) < 60 for passage in passages)


def test_halves_and_continuations_of_such_texts_are_cut_by_characters_too():
    retain = "".join(f"{chr(0x6000 + i)}者，百代之過客也{i}年。" for i in range(120))
    splits = lay_out(forget=[NOVEL], retain=[retain], holdout=[], words=20)
    for row, passage in zip(splits["verbmem", "forget"], texts_of(splits, "raw", "forget"), strict=True):
        assert row["prompt"] + row["gt"] == passage
        assert abs(len(row["prompt"]) - len(row["gt"])) < len(passage) / 2
    for row in splits["utility", "test"]:
        assert row["prompt"]
        assert all(0 < len(choice) < 30 for choice in row["choices"])


def test_a_sentence_of_more_than_twice_the_words_is_cut():
    words = [f"w{i}" for i in range(50)]
    assert cut([" ".join(words)], 20) == [" ".join(words[:20]), " ".join(words[20:40]), " ".join(words[40:])]
    assert cut([" ".join(words[:40])], 20) == [" ".join(words[:40])]


def test_a_text_of_one_word_is_refused_for_it_has_no_continuation():
    with pytest.raises(ValueError, match="a forget text is 'alone' alone: a text needs at least two words"):
        lay_out(forget=[text("f", 8), "alone"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"retain": [text("r", 18) + " " + text("f", 8)]}, "8 of 26 passages of the retain texts stand in the forget"),
        (
            {"retain": ["Before. " + text("r", 18) + " " + text("f", 8)]},
            "8 of 2. passages of the retain texts stand in",
        ),
        ({"holdout": [text("h", 5) + text("f", 2).upper()]}, "passages of the holdout texts stand in the forget texts"),
        ({"holdout": [text("h", 5) + " " + text("s", 2)]}, "2 of 7 passages of the holdout texts stand in the retain"),
    ],
)
def test_passages_and_not_only_whole_texts_are_kept_apart(changes, message):
    with pytest.raises(ValueError, match=message):
        lay_out(**changes)


class Counted(str):
    """A text that counts how often it is looked at."""

    looked = 0

    def __hash__(self):
        Counted.looked += 1
        return super().__hash__()

    def __eq__(self, other):
        Counted.looked += 1
        return super().__eq__(other)

    def __lt__(self, other):
        Counted.looked += 1
        return super().__lt__(other)


def test_the_utility_test_of_ten_times_the_passages_is_little_more_than_ten_times_the_work(monkeypatch):
    monkeypatch.setattr("trainables.benchmarks.documents._piece", lambda passage: ("so", Counted(passage)))
    looked = []
    for size in (100, 1000):
        Counted.looked = 0
        _continuations([f"passage {i}" for i in range(size)], random.Random(0))
        looked.append(Counted.looked)
    assert looked[1] < 20 * looked[0]  # the sorting's logarithm; squared it would be a hundred times
