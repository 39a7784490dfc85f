"""Which request a passage and a question are about."""

from tiny import article, question, tiny_benchmark

from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.benchmarks.requests import all_parts_of, parts_of

NAMES = ["Ada Orme", "Bo Quill", "Cy Marsh", "Dee Falk"]


def benchmark(**changes):
    splits = dict(tiny_benchmark(4).splits)
    for k in (1, 2, 3, 4):
        splits["sust", f"forget_{k}"] = text_rows([article(k - 1), "Everybody reads this."])
    splits["facts", "forget"] = [{"subject": name, "type": "place", "prompt": "x", "object": "y"} for name in NAMES]
    for split, rows in changes.items():
        splits[tuple(split.split("__"))] = rows
    return Benchmark("tiny", {key: rows for key, rows in splits.items() if rows is not None})


def test_passages_by_their_words_and_questions_by_their_subjects():
    each = [1, 2, 3, 4]
    assert all_parts_of(benchmark()) == {"verbmem/forget": each, "knowmem/forget_qa": each, "privleak/forget": each}
    assert parts_of(benchmark(), "verbmem/forget") == each


def test_a_name_within_a_longer_one_is_not_taken_for_it():
    longer = [{"subject": name, "type": "", "prompt": "", "object": ""} for name in ("Ada", *NAMES)]
    splits = benchmark(facts__forget=longer)
    assert all_parts_of(splits)["knowmem/forget_qa"] == [1, 2, 3, 4]


def test_a_split_of_which_one_row_cannot_be_told_is_left_out():
    unknown = [{"question": question(0), "answer": "a"}, {"question": "Who?", "answer": "b"}]
    others = {"verbmem/forget", "privleak/forget"}
    assert all_parts_of(benchmark(knowmem__forget_qa=unknown)).keys() == others
    assert all_parts_of(benchmark(facts__forget=None)).keys() == others


def test_without_successive_requests_there_is_nothing_to_tell():
    assert all_parts_of(tiny_benchmark(4)) == {}
    assert parts_of(tiny_benchmark(4), "verbmem/forget") == []
