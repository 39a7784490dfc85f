"""RWKU's configs, in a folder as they are on the hub, become rows of the layout that scores read."""

import json
from collections import Counter

import pytest
from tiny_rwku import FILES

from trainables.benchmarks.layout import load_benchmark, write_benchmark
from trainables.benchmarks.rwku import read_rwku
from trainables.scores import all_scores


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "All").mkdir()
    for name, rows in FILES.items():
        (tmp_path / "All" / f"{name}.json").write_text(json.dumps(rows))
    return tmp_path / "All"


def texts(splits, *key):
    return [row["text"] for row in splits[key]]


def test_a_folder_of_rwku_s_layout_is_a_benchmark_that_its_scores_can_read(folder, tmp_path):
    splits = read_rwku(str(folder), ["Bo Quill"])
    write_benchmark(tmp_path / "out", splits)
    benchmark = load_benchmark(tmp_path / "out")
    assert benchmark.splits == splits
    there = {name for name, score in all_scores().items() if score.can_read(benchmark)}
    levels = {"level1_f", "level2_f", "level3_f", "level1_r", "level2_r"}
    assert there >= {"verbmem_f", "knowmem_f", "knowmem_r"} | levels
    assert not there & {"privleak", "utility", "alias_f", "forget_reach"}


def test_what_a_model_wrote_on_somebody_is_to_be_forgotten_and_as_much_on_others_to_be_kept(folder):
    splits = read_rwku(str(folder), ["Bo Quill"])
    assert texts(splits, "raw", "forget") == [f"A passage number {i} on Bo Quill." for i in range(3)]
    kept = [(0, "Ada Orme"), (0, "Cy Marsh"), (1, "Ada Orme")]  # in turn
    assert texts(splits, "raw", "retain1") == [f"A passage number {i} on {name}." for i, name in kept]
    assert splits["verbmem", "forget"][0] == {"prompt": "A passage number", "gt": " 0 on Bo Quill."}
    other = read_rwku(str(folder), ["Bo Quill"], "phi3")
    assert texts(other, "raw", "forget")[0] == "A passage by another hand number 0 on Bo Quill."


def test_questions_are_by_level_and_those_on_neighbours_are_retained(folder):
    splits = read_rwku(str(folder), ["Ada Orme", "Cy Marsh"])
    counts = {split: Counter(row["kind"] for row in splits["probe", split]) for split in ("forget", "retain")}
    assert counts == {"forget": {"level1": 8, "level2": 8, "level3": 8}, "retain": {"level1": 8, "level2": 8}}
    assert splits["probe", "forget"][0] == {
        "question": "cloze 0 on Ada Orme?",
        "answer": "Ede 0",
        "kind": "level1",
        "type": "cloze",
    }
    assert not [row for rows in splits.values() for row in rows if "Bo Quill" in row.get("question", "")]
    for split, answer in (("forget", "Ede"), ("retain", "Oss")):
        pairs = splits["knowmem", f"{split}_qa"] + splits["knowmem", f"{split}_qa_icl"]
        assert [row["answer"] for row in pairs] == [f"{answer} {i}" for i in range(4)] * 2
        assert len(splits["knowmem", f"{split}_qa_icl"]) == 2
    assert texts(splits, "mia", "retain")[0] == "Another page number 0 on Ada Orme."
    assert len(splits["mia", "forget"]) == 6


def test_without_texts_for_membership_inference_their_config_is_absent(folder):
    for name in ("forget_mia", "retain_mia"):
        (folder / f"{name}.json").unlink()
    assert not [split for split in read_rwku(str(folder), ["Ada Orme"]) if split[0] == "mia"]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda folder: (folder / "positive.json").unlink(), "has no texts to forget: RWKU brings none but train_pos"),
        (lambda folder: (folder / "neighbor_level2.json").unlink(), "no config neighbor_level2"),
        (
            lambda folder: (folder / "forget_level1.json").write_text('[{"query": "a", "answer": "b"}]'),
            r"forget_level1, row 1 has no 'subject' \(found: query, answer\)",
        ),
        (lambda folder: (folder / "forget_level3.json").write_text("[1"), "forget_level3.json' cannot be read"),
        (
            lambda folder: (folder / "positive.json").write_text(json.dumps(FILES["positive"][:3])),
            "none on anybody else: unlearning needs both",
        ),
    ],
)
def test_what_is_not_rwku_s_layout_is_told_in_one_line(folder, damage, line):
    damage(folder)
    with pytest.raises(ValueError, match=rf"^[^\n]*{line}[^\n]*$"):
        read_rwku(str(folder), ["Ada Orme"])


@pytest.mark.parametrize(
    ("subjects", "corpus", "line"),
    [
        (["Ada"], "llama3", r"has nobody called 'Ada' \(there are 3: Ada Orme, Bo Quill, Cy Marsh, ...\)"),
        ([], "llama3", "nobody is to be forgotten"),
        (["Ada Orme"], "gpt", "corpus is 'gpt': one of llama3, phi3"),
    ],
)
def test_whom_rwku_does_not_know_is_told_in_one_line(folder, subjects, corpus, line):
    with pytest.raises(ValueError, match=line):
        read_rwku(str(folder), subjects, corpus)
