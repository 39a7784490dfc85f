"""Forget text in what is kept is found by its runs of words, wherever the cuts fall."""

from tiny import tiny_benchmark

from trainables.benchmarks import overlap
from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.benchmarks.overlap import RUN, count_forget_passages, overlap_notes, shared_passages

TEXT = " ".join(f"w{i}" for i in range(200))


def test_a_passage_is_found_however_the_text_is_cut():
    words = TEXT.split()
    passages = [" ".join(words[i : i + 30]) for i in range(13, 170, 30)]
    forget = [" ".join(words[i : i + 50]) for i in range(0, 200, 50)]
    assert shared_passages(passages, [TEXT]) == passages
    assert len(shared_passages(passages, forget)) >= len(passages) - 1  # runs across the cuts are lost


def test_case_punctuation_and_line_ends_hide_nothing():
    passage = "One two, three four;\r\nFIVE six seven eight -- nine ten."
    assert shared_passages([passage], ["one two three four five six seven eight nine ten"]) == [passage]


def test_half_of_the_runs_are_needed_and_enough():
    known = [f"w{i}" for i in range(RUN + 2)]  # three runs
    own = [f"x{i}" for i in range(RUN)]
    passage = " ".join(known + own)  # 11 runs, of which 3 stand in the text
    assert shared_passages([passage], [TEXT]) == []
    half = " ".join(known + own[:3])  # 6 runs
    assert shared_passages([half], [TEXT]) == [half]


def test_a_phrase_in_common_is_no_find_and_a_short_passage_is_compared_as_a_whole():
    assert shared_passages(["w1 w2 w3"], [TEXT]) == []
    assert shared_passages(["Bo keeps bees.", "?!"], ["Bo keeps bees", "?!"]) == ["Bo keeps bees."]


def test_texts_without_spaces_are_compared_by_characters():
    text = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    assert shared_passages(["名前はまだ無い。どこで生れたか", "何でも薄暗いじめじめした所で"], [text]) == [
        "名前はまだ無い。どこで生れたか"
    ]


def test_the_splits_that_should_hold_no_forget_text_are_counted():
    splits = tiny_benchmark().splits | {("raw", "retain1"): text_rows(["A text of its own."])}
    forget = splits["raw", "forget"]
    assert count_forget_passages(Benchmark("b", splits | {("privleak", "retain"): text_rows(["Other."])})) == {}
    splits |= {("train", "retain"): [*text_rows(["Other."]), *forget[:2]]}
    counts = count_forget_passages(Benchmark("b", splits))
    assert counts == {"train/retain": (2, 3), "privleak/retain": (4, 4)}


def test_the_note_counts_them():
    splits = tiny_benchmark().splits | {("privleak", "retain"): text_rows(["Other."])}
    assert overlap_notes(Benchmark("b", splits)) == []
    kept = [*splits["raw", "forget"][:2], *text_rows(["A text of its own."])]
    (note,) = overlap_notes(Benchmark("b", splits | {("raw", "retain1"): kept}))
    assert note.startswith("2 of 3 texts of raw/retain1 stand in raw/forget too (half or more of their runs of 8 words")


def test_every_text_is_cut_into_runs_once_in_however_many_splits_it_stands(monkeypatch):
    cut = []
    monkeypatch.setattr(overlap, "_runs", lambda text: cut.append(text) or [hash(text)])
    one, two, forget = text_rows(["one"]), text_rows(["two"]), text_rows(["forget"])
    kept = {
        ("raw", "retain1"): one,
        ("raw", "retain2"): two,
        ("train", "retain"): [*one, *two],
        ("privleak", "retain"): two,
    }
    assert count_forget_passages(Benchmark("b", {("raw", "forget"): forget, **kept})) == {}
    assert cut == ["forget", "one", "two"]
