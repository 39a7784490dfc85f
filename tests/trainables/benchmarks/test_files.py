"""A file is read whole, with or without a byte-order mark; one that cannot be read is named in one line."""

import json
from pathlib import Path

import pandas as pd
import pytest
from tiny import tiny_benchmark

from trainables.benchmarks.files import READERS, read_records, read_table, read_text
from trainables.benchmarks.layout import load_benchmark, write_benchmark
from trainables.subjects.model_files import POINTER

SPLITS = tiny_benchmark().splits | {("raw", "retain1"): [{"text": "The mill stands."}]}
BOM = "\ufeff"


@pytest.mark.parametrize("mark", ["", BOM])
def test_a_byte_order_mark_is_part_of_no_text_and_of_no_name(tmp_path, mark):
    for name, text in (("a.txt", "Übermut\r\n"), ("a.csv", "text\n1\n"), ("a.json", '[{"text": "1"}]')):
        (tmp_path / name).write_bytes((mark + text).encode())
    (tmp_path / "a.jsonl").write_bytes((mark + '{"text": "1"}\r\n').encode())
    assert read_text(tmp_path / "a.txt") == "Übermut\r\n"
    assert read_table(tmp_path / "a.csv") == [{"text": "1"}]
    assert [read_records(tmp_path / f"a.{ending}") for ending in ("csv", "json", "jsonl")] == [[{"text": "1"}]] * 3


def fill(file, what):
    if what == "folder":
        file.mkdir()
    elif what != "missing":
        pointer = POINTER + b".github.com/spec/v1\noid sha256:0\n"
        file.write_bytes({"git-lfs": pointer, "utf-16": "a".encode("utf-16"), "broken": b'\x00{"'}[what])
    return file


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "not a file"),
        ("folder", "not a file"),
        ("git-lfs", "it is a pointer of Git LFS, not the file itself: fetch it with git lfs pull"),
        ("utf-16", ""),
        ("broken", ""),
    ],
)
def test_what_is_no_such_file_is_named_in_one_line(tmp_path, ending, what, message):
    file = fill(tmp_path / f"x y é{ending}", what)
    with pytest.raises(ValueError, match=rf"^'{file}' cannot be read: [^\n]*{message}[^\n]*$"):
        read_records(file)


def test_a_file_that_may_not_be_opened_is_named_in_one_line(tmp_path, monkeypatch):
    def refuse(file):
        raise PermissionError(13, "Permission denied", str(file))

    (tmp_path / "a.txt").write_text("a")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ValueError, match=r"^'.*a.txt' cannot be read: \[Errno 13\] Permission denied[^\n]*$"):
        read_text(tmp_path / "a.txt")


def test_a_folder_that_may_not_be_listed_is_named_in_one_line(tmp_path, monkeypatch):
    write_benchmark(tmp_path, SPLITS)

    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ValueError, match=rf"^'{tmp_path}' cannot be read: \[Errno 13\][^\n]*$"):
        load_benchmark(tmp_path)


def test_text_with_nul_characters_is_none(tmp_path):
    (tmp_path / "a.txt").write_bytes("abc".encode("utf-16-le"))
    with pytest.raises(ValueError, match="it is not text: it holds a NUL character$"):
        read_text(tmp_path / "a.txt")


def test_a_broken_line_is_named_by_its_number(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\n{"text": \n')
    with pytest.raises(ValueError, match="cannot be read: line 3: Expecting value"):
        read_records(tmp_path / "a.jsonl")


def test_values_without_a_name_are_refused_and_not_taken_for_an_index(tmp_path):
    (tmp_path / "a.csv").write_text("text\nHello, world\nGood, bye\n")
    with pytest.raises(ValueError, match="cannot be read: .*Expected 1 fields in line 2, saw 2"):
        read_table(tmp_path / "a.csv")


def test_a_deep_json_is_one_line_too(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match=r"^'[^\n]*' cannot be read: [^\n]*$"):
        read_records(tmp_path / "a.json")


def test_a_benchmark_may_lie_in_a_folder_of_any_name(tmp_path):
    folder = tmp_path / "mein Ordner, 東京"
    write_benchmark(folder, SPLITS)
    assert load_benchmark(folder).splits == SPLITS


@pytest.mark.parametrize(
    "names",
    [
        ("forget.parquet", "forget.jsonl"),
        ("forget.parquet", "forget-00000-of-00001.parquet"),
        ("forget-00000-of-00003.parquet", "forget-00002-of-00003.parquet"),
    ],
)
def test_a_split_that_is_there_twice_or_in_part_is_refused(tmp_path, names):
    write_benchmark(tmp_path, SPLITS)
    (tmp_path / "raw" / "forget.parquet").unlink()
    for name in names:
        rows = pd.DataFrame([{"text": "a"}])
        file = tmp_path / "raw" / name
        rows.to_parquet(file) if file.suffix == ".parquet" else file.write_text(json.dumps({"text": "a"}))
    with pytest.raises(ValueError, match=r"raw' holds .*: a split is one file, or all its shards, each once$"):
        load_benchmark(tmp_path)


def test_hidden_files_are_passed_over(tmp_path):
    write_benchmark(tmp_path, SPLITS)
    (tmp_path / "raw" / "._forget.parquet").write_bytes(b"\0\x05\x16\x07")
    assert load_benchmark(tmp_path).splits == SPLITS
