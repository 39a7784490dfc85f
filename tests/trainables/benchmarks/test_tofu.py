"""TOFU's configs, in a folder as they are on the hub, become rows of the layout that scores read."""

import json

import pytest
from tiny_tofu import CONFIGS, row

from trainables.benchmarks.layout import load_benchmark, write_benchmark
from trainables.benchmarks.tofu import read_tofu
from trainables.scores import all_scores


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tofu").mkdir()
    for name, rows in CONFIGS.items():
        (tmp_path / "tofu" / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "tofu"


def test_a_folder_of_tofu_s_layout_is_a_benchmark_that_every_score_but_utility_can_read(folder, tmp_path):
    splits = read_tofu(str(folder), "forget10")
    write_benchmark(tmp_path / "out", splits)
    benchmark = load_benchmark(tmp_path / "out")
    assert benchmark.splits == splits
    absent = {name for name, score in all_scores().items() if not score.can_read(benchmark)}
    named = {
        "verbmem_f",
        "knowmem_f",
        "knowmem_r",
        "privleak",
        "truth_ratio_f",
        "truth_ratio_r",
        "ks_d",
        "model_utility",
    }
    assert not absent & named
    assert "utility" in absent


def test_its_configs_are_where_the_layout_has_them(folder):
    splits = read_tofu(str(folder), "forget10")
    numbers = {
        key: [text["text"].split()[4] for text in rows] for key, rows in splits.items() if key[0] in ("raw", "train")
    }
    assert numbers["raw", "forget"] == ["7", "8", "9"]
    assert numbers["raw", "retain1"] == ["3", "4", "5", "6"]
    assert numbers["raw", "retain2"] == ["0", "1", "2"]
    assert numbers["train", "full"] == list("0123456789")
    assert numbers["train", "retain"] == list("0123456")
    assert splits["raw", "forget"][0]["text"] == f"Question: {row(7)['question']}\nAnswer: {row(7)['answer']}"
    assert splits["verbmem", "forget"][0]["prompt"].endswith("Answer: Author 7 was born in")
    assert splits["verbmem", "forget"][0]["gt"] == " the town of Ede 7."
    asked = splits["qa", "forget"][0]
    assert asked["perturbed_answers"] == [f"Oss {7 + j} is it." for j in range(5)]
    assert asked["paraphrased_answer"] == "Ede 7 is it."
    assert "paraphrased_answer" not in splits["qa", "authors"][0]


def test_without_a_holdout_there_is_no_privleak(folder):
    (folder / "holdout10.json").unlink()
    splits = read_tofu(str(folder), "forget10")
    assert not [split for split in splits if split[0] == "privleak" or split[1] == "holdout"]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda folder: (folder / "retain90.json").unlink(), "no config retain90"),
        (
            lambda folder: (folder / "retain90.json").write_text('{"question": "a"}\n'),
            "retain90, row 1 has no question",
        ),
        (lambda folder: (folder / "full.json").write_text('{"question": '), "full.json' cannot be read: line 1"),
    ],
)
def test_what_is_not_tofu_s_layout_is_told_in_one_line(folder, damage, line):
    damage(folder)
    with pytest.raises(ValueError, match=rf"^[^\n]*{line}[^\n]*$"):
        read_tofu(str(folder), "forget10")


def test_another_split_than_tofu_s_is_refused():
    with pytest.raises(ValueError, match="forget is 'forget': one of TOFU's configs forget01, forget05, forget10"):
        read_tofu("locuslab/TOFU", "forget")
