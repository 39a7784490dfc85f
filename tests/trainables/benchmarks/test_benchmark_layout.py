"""A benchmark is the same rows in every format, `datasets` reads it too, and bad input is told in one line."""

import json

import pandas as pd
import pytest
from datasets import load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_benchmark

from trainables.benchmarks import find_source, layout
from trainables.benchmarks.layout import Benchmark, check_benchmark, load_benchmark, write_benchmark

SPLITS = tiny_benchmark().splits | {("raw", "retain1"): [{"text": "The mill stands."}, {"text": "A farm."}]}
AWKWARD = ["007", "12.50", "NA", "None", "null", "nan", "1e5", "True", " padded ", 'a "quoted", text']
AWKWARD += ["two\nlines", "carriage\r\nreturn", "line\u2028separator", "next\x85line", "Übermut, 東京"]


@pytest.fixture
def folder(tmp_path):
    write_benchmark(tmp_path, SPLITS)
    return tmp_path


def test_what_is_written_is_read_back(folder):
    benchmark = load_benchmark(folder)
    assert benchmark.splits == SPLITS
    assert benchmark.name == str(folder)


@settings(max_examples=25)
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(str.strip), min_size=1, max_size=4
    )
)
def test_any_text_survives_the_round_trip(texts, tmp_path_factory):
    folder, splits = tmp_path_factory.mktemp("any"), SPLITS | {("raw", "forget"): layout.text_rows(texts)}
    write_benchmark(folder, splits)
    assert load_benchmark(folder).texts("raw", "forget") == texts


@pytest.mark.parametrize(("config", "split"), SPLITS)
def test_datasets_reads_each_split_of_a_written_folder(folder, tmp_path_factory, config, split):
    cache = str(tmp_path_factory.mktemp("hf"))
    table = load_dataset(str(folder), config, split=split, cache_dir=cache)
    assert table.to_list() == SPLITS[config, split]


def test_the_hub_s_way_of_reading_gives_what_ours_gives(folder, tmp_path_factory, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("hf")))
    assert layout._read_hub(str(folder)) == SPLITS


def test_the_hub_s_shards_are_joined_in_order_under_their_split_s_name(folder):
    (folder / "scal").mkdir()
    for shard, text in enumerate(("first", "second", "third")):
        file = folder / "scal" / f"forget_1-{shard:05d}-of-00003.parquet"
        pd.DataFrame([{"text": text}]).to_parquet(file)
    assert load_benchmark(folder).texts("scal", "forget_1") == ["first", "second", "third"]


def write_csv(file, rows):
    pd.DataFrame(rows).to_csv(file.with_suffix(".csv"), index=False)


def write_json(file, rows):
    file.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")


def write_jsonl(file, rows, **options):
    lines = [json.dumps(row, **options) + "\n" for row in rows]
    file.with_suffix(".jsonl").write_text("".join(lines), encoding="utf-8")


def write_raw_jsonl(file, rows):
    write_jsonl(file, rows, ensure_ascii=False)


def write_jsonl_with_an_empty_last_line(file, rows):
    write_jsonl(file, rows)
    with file.with_suffix(".jsonl").open("a") as end:
        end.write("\n")


@pytest.mark.parametrize(
    "write", [write_csv, write_json, write_jsonl, write_raw_jsonl, write_jsonl_with_an_empty_last_line]
)
def test_every_text_is_read_from_other_formats_letter_by_letter(folder, write):
    rows = {"forget_qa": AWKWARD, "forget_qa_icl": ["007", "12.50"]}  # a column of nothing but numbers, too
    expected = {}
    for split, texts in rows.items():
        expected["knowmem", split] = [{"question": text, "answer": text} for text in texts]
        (folder / "knowmem" / f"{split}.parquet").unlink()
        write(folder / "knowmem" / split, expected["knowmem", split])
    assert load_benchmark(folder).splits == SPLITS | expected


@pytest.mark.parametrize("write", [write_json, write_jsonl])
def test_older_privleak_rows_are_plain_strings(folder, write):
    (folder / "privleak" / "holdout.parquet").unlink()
    write(folder / "privleak" / "holdout", ["One text.", "Another."])
    assert load_benchmark(folder).rows("privleak", "holdout") == [{"text": "One text."}, {"text": "Another."}]


def test_numbers_in_a_json_file_are_read_as_they_are_written(folder):
    rows = [{"question": "How many?", "answer": 40}, {"question": "How much?", "answer": 2.5}]
    (folder / "knowmem" / "forget_qa.parquet").unlink()
    write_json(folder / "knowmem" / "forget_qa", rows)
    answers = [row["answer"] for row in load_benchmark(folder).rows("knowmem", "forget_qa")]
    assert answers == ["40", "2.5"]


def test_folders_and_files_of_another_kind_are_passed_over(folder):
    (folder / "notes").mkdir()
    (folder / "notes" / "forget.csv").write_text("text\nnot ours\n")
    (folder / "raw" / "forget.md").write_text("not ours either")
    assert load_benchmark(folder).splits == SPLITS


def remove(*names):
    return {key: rows for key, rows in SPLITS.items() if key not in names and key[0] not in names}


REFUSED = {
    "no raw config": (
        remove("raw"),
        r"no config 'raw' \(configs found: knowmem, mcq, privleak, style, utility, verb",
    ),
    "no verbmem config": (remove("verbmem"), r"no config 'verbmem' \(configs found: knowmem, mcq, privleak, raw"),
    "a split": (remove(("raw", "retain1")), r"no split raw/retain1 \(splits of raw: forget\)"),
    "a qa split": (remove(("knowmem", "retain_qa_icl")), r"knowmem/retain_qa_icl .*forget_qa, forget_qa_icl"),
    "a column": (
        SPLITS | {("verbmem", "forget"): [{"prompt": "a", "answer": "b"}]},
        r"split verbmem/forget has no column 'gt' \(found: prompt, answer\)",
    ),
    "a column of a later row": (
        SPLITS | {("raw", "forget"): [{"text": "a"}, {"txt": "b"}]},
        r"split raw/forget, row 2: text is missing",
    ),
    "an empty split": (SPLITS | {("sust", "forget_1"): []}, r"split sust/forget_1 is empty"),
}


@pytest.mark.parametrize(("splits", "message"), REFUSED.values(), ids=REFUSED)
def test_what_the_scores_need_and_do_not_find_is_named_in_one_line(splits, message):
    with pytest.raises(ValueError, match=rf"^benchmark 'news'[^\n]*{message}[^\n]*$"):
        check_benchmark(Benchmark("news", splits))


@pytest.mark.parametrize("value", [None, float("nan")])
@pytest.mark.parametrize("extension", ["parquet", "json"])
def test_a_missing_answer_is_refused_and_not_read_as_the_word_none(folder, extension, value):
    (folder / "knowmem" / "forget_qa.parquet").unlink()
    table = pd.DataFrame([{"question": "a", "answer": "b"}, {"question": "c", "answer": value}])
    write = {"parquet": table.to_parquet, "json": lambda file: table.to_json(file, orient="records")}[extension]
    write(folder / "knowmem" / f"forget_qa.{extension}")
    with pytest.raises(ValueError, match=r"knowmem/forget_qa, row 2: answer is missing$"):
        load_benchmark(folder)


def test_an_empty_file_is_an_empty_split(folder):
    (folder / "raw" / "forget.parquet").unlink()
    (folder / "raw" / "forget.jsonl").touch()
    with pytest.raises(ValueError, match=r"split raw/forget is empty$"):
        load_benchmark(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [("forget.jsonl", '{"text": "a"}\n{"text": '), ("forget.json", "{"), ("forget.json", '{"text": ["a"]}')],
)
def test_a_file_that_cannot_be_read_is_named_in_one_line(folder, name, text):
    (folder / "raw" / "forget.parquet").unlink()
    (folder / "raw" / name).write_text(text)
    with pytest.raises(ValueError, match=rf"^[^\n]*raw/{name}[^\n]*$"):
        load_benchmark(folder)


def test_a_folder_without_a_benchmark_is_named_with_what_it_should_hold(tmp_path):
    with pytest.raises(ValueError, match=rf"^'{tmp_path}' holds no benchmark: no <config>/<split>[^\n]*$"):
        load_benchmark(tmp_path)


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^no benchmark '/no/such/folder': neither a folder [^\n]*$"):
        load_benchmark("/no/such/folder")


def test_a_hub_that_cannot_be_reached_is_told_in_one_line(monkeypatch):
    def unreachable(reference):
        raise ConnectionError("Couldn't reach the Hub\nand a long story")

    monkeypatch.setattr("datasets.get_dataset_config_names", unreachable)
    with pytest.raises(ValueError, match=r"^no benchmark 'owner/name'[^\n]*\(Couldn't reach the Hub\)$"):
        load_benchmark("owner/name")


def test_a_split_that_is_asked_for_and_not_there_is_named_with_those_that_are():
    benchmark = tiny_benchmark()
    with pytest.raises(ValueError, match=r"no split privleak/x \(.*: forget, retain, holdout\)$"):
        benchmark.rows("privleak", "x")
    with pytest.raises(ValueError, match=r"no split scal/forget_1 \(splits of scal: none\)$"):
        benchmark.texts("scal", "forget_1")


@pytest.mark.parametrize(
    ("config", "split", "there"),
    [("raw", None, True), ("raw", "forget", True), ("raw", "x", False), ("scal", None, False)],
)
def test_has_tells_what_is_there(config, split, there):
    assert tiny_benchmark().has(config, split) == there


@given(words=st.lists(st.text("ab .", min_size=1), min_size=2), place=st.sampled_from([1 / 3, 1 / 2, 2 / 3]))
def test_both_sides_of_a_place_in_a_text_join_to_it(words, place):
    row = layout.cut_at(" ".join(words), place)
    assert row["prompt"] + row["gt"] == " ".join(words)


def test_a_text_is_cut_behind_a_share_of_its_words():
    assert layout.cut_at("a b c d e f g", 1 / 3) == {"prompt": "a b", "gt": " c d e f g"}
    assert layout.cut_at("a b c d e f g", 2 / 3) == {"prompt": "a b c d", "gt": " e f g"}


def test_a_choice_row_keeps_its_choices_and_the_index_of_the_right_one():
    row = layout.choice_row("Two and two is", [" four", " five"], 0)
    assert row == {"prompt": "Two and two is", "choices": [" four", " five"], "answer": "0"}


def test_a_benchmark_is_found_by_its_name_its_folder_or_its_hub_id(tmp_path):
    assert find_source("muse-news").data == "muse-bench/MUSE-News"
    assert find_source(str(tmp_path)).data == str(tmp_path.resolve())
    assert find_source("owner/name").data == "owner/name"


@pytest.mark.parametrize("name", ["muse-mni", "/no/such/folder", "./folder", "a/b/c", ""])
def test_a_name_that_can_be_no_benchmark_is_told_with_the_choices(name):
    with pytest.raises(ValueError, match=rf"^benchmark '{name}' is unknown: choose muse-mini[^\n]*$"):
        find_source(name)
