"""Multiple choice in WMDP's own layout, with questions that are invented here: read, checked, made a benchmark of."""

import pandas as pd
import pytest

from lethe_cli.benchmarking import make_benchmark
from trainables.benchmarks.layout import load_benchmark
from trainables.benchmarks.wmdp import read_choices
from trainables.scores import all_scores

ROWS = [
    {"question": "Which tool bores?", "choices": ["saw", "drill", "rasp", "plane"], "answer": 1},
    {"question": "Which tool cuts?", "choices": ["saw", "drill", "rasp", "plane"], "answer": 0},
]
WANTED = [
    {"subject": "wmdp-bio", "question": row["question"], "choices": row["choices"], "answer": str(row["answer"])}
    for row in ROWS
]


@pytest.fixture
def hub_folder(tmp_path):
    """A folder as the hub has WMDP: a folder a config, a shard of the split test in each."""
    for config in ("wmdp-bio", "wmdp-cyber"):
        (tmp_path / "wmdp" / config).mkdir(parents=True)
        pd.DataFrame(ROWS).to_parquet(tmp_path / "wmdp" / config / "test-00000-of-00001.parquet")
    return tmp_path / "wmdp"


def test_a_folder_of_the_hub_s_layout_gives_the_rows_of_mcq(hub_folder):
    assert read_choices(str(hub_folder / "wmdp-bio"), "forget") == WANTED


def test_a_file_with_subjects_keeps_them(tmp_path):
    pd.DataFrame([row | {"subject": "tools"} for row in ROWS]).to_json(tmp_path / "own.json", orient="records")
    assert [row["subject"] for row in read_choices(str(tmp_path / "own.json"), "forget")] == ["tools", "tools"]


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("{}", "holds no choices: no file test*.parquet, .csv, .jsonl, .json"),
        ("{}/wmdp-chem", "neither a file nor a folder here, nor owner/name:config of the hub"),
        ("cais/wmdp", "no choices 'cais/wmdp': neither a file nor a folder here, nor owner/name:config of the hub"),
    ],
)
def test_a_place_without_choices_is_told_in_one_line(hub_folder, place, fault):
    with pytest.raises(ValueError, match="^[^\n]*$") as told:
        read_choices(place.format(hub_folder), "forget")
    assert fault in str(told.value)


def test_rows_that_are_no_multiple_choice_are_told_with_their_number(tmp_path):
    file = tmp_path / "own.json"
    pd.DataFrame([ROWS[0], ROWS[1] | {"answer": 7}]).to_json(file, orient="records")
    with pytest.raises(ValueError, match=r"mcq/forget, row 2: answer '7' is not the index"):
        read_choices(str(file), "forget")


def make_with(choices, tmp_path):
    """A benchmark of some texts, made with choices."""
    files = {side: tmp_path / f"{side}.txt" for side in ("forget", "retain")}
    for side, file in files.items():
        file.write_text(" ".join(f"In the {side} house lamp {i} stands beside door {i * 7}." for i in range(40)))
    make_benchmark(
        str(tmp_path / "made"),
        forget=[str(files["forget"])],
        retain=[str(files["retain"])],
        holdout=[],
        qa=None,
        choices=choices,
        words=20,
    )


def test_with_texts_of_one_s_own_they_are_a_benchmark_whose_choices_are_scored(hub_folder, tmp_path, capsys):
    make_with([f"forget={hub_folder}/wmdp-bio", f"general={hub_folder}/wmdp-cyber"], tmp_path)
    made = load_benchmark(tmp_path / "made")
    assert made.rows("mcq", "forget") == WANTED
    can = {name for name, score in all_scores().items() if score.of(made).can_read(made)}
    assert {"mcq_f", "mcq_g", "utility"} <= can
    assert not {"mcq_r", "knowmem_f", "answer_prob_f"} & can
    assert ROWS[0]["question"] not in capsys.readouterr().out


@pytest.mark.parametrize("asked", ["forget", "forget=", "holdout=a.csv"])
def test_a_flag_that_is_no_split_and_place_is_told(asked, tmp_path):
    with pytest.raises(
        ValueError, match=rf"--choices '{asked}' is not SPLIT=PLACE, of which SPLIT is forget, retain, "
    ):
        make_with([asked], tmp_path)
