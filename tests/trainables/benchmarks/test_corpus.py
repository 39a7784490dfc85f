"""A user's own texts stand in for a benchmark's unrelated text, from any kind of file, and are refused in one line."""

import re

import pandas as pd
import pytest

from trainables.benchmarks.corpus import read_corpus


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "b.txt").write_text("Two lines\nof one text.")
    (tmp_path / "a.jsonl").write_text('{"text": "One."}\n\n{"text": "Two.", "url": "x"}\n')
    (tmp_path / "c.csv").write_text('text\n"Three, and"\n')
    pd.DataFrame({"text": ["Four."]}).to_parquet(tmp_path / "d.parquet")
    (tmp_path / "README.md").write_text("no text of the corpus")
    return tmp_path


def test_a_folder_gives_the_texts_of_all_its_files_in_their_order(folder):
    assert read_corpus(str(folder)) == ["One.", "Two.", "Two lines\nof one text.", "Three, and", "Four."]


def test_a_file_gives_its_own_texts_alone(folder):
    assert read_corpus(str(folder / "a.jsonl")) == ["One.", "Two."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", '{"text": "One."}\n{"url": "x"}', "row 2: text is missing (found: url)"),
        ("x.jsonl", '{"text": ["a"]}', "row 1: text ['a'] is a list, not text"),
        ("x.jsonl", '{"text": " "}', "row 1: text is empty (found: text)"),
        ("x.jsonl", "", "is empty"),
        ("x.txt", "", "is empty"),
        ("x.json", "{", "cannot be read: "),
        ("x.doc", "Text.", "is neither a file nor a folder of .txt, .jsonl, .json, .csv, .parquet"),
    ],
)
def test_what_holds_no_texts_is_named_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"^[^\n]*{re.escape(name)}[^\n]*{re.escape(message)}[^\n]*$"):
        read_corpus(str(tmp_path / name))
