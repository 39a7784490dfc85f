"""A row that the scores cannot use is told where it is read, with its config, split and number."""

import json

import numpy as np
import pandas as pd
import pytest
from tiny import tiny_benchmark

from trainables.benchmarks.layout import Benchmark, check_benchmark, load_benchmark, write_benchmark
from trainables.benchmarks.rows import lacking, make_rows
from trainables.content import content
from trainables.task import Places

SPLITS = tiny_benchmark().splits | {("raw", "retain1"): [{"text": "The mill stands."}, {"text": "A farm."}]}
ASKED = [{"question": f"Where is {name}?", "answer": town} for name, town in (("Ambra", "Lund"), ("Belos", "Bryn"))]
OPTIONAL = {
    ("qa", "forget"): [
        row | {"paraphrased_answer": f"It is {row['answer']}.", "perturbed_answers": ["It is Ede.", "It is Oss."]}
        for row in ASKED
    ],
    ("mcq", "forget"): [row | {"choices": ["Lund", "Bryn"], "answer": "1"} for row in ASKED],
    ("style", "shared"): [row | {"style": "letter", "shared": "1"} for row in ASKED],
    ("probe", "forget"): [row | {"kind": "alias", "fact": "town"} for row in ASKED],
}
SPLITS |= OPTIONAL


def changed(place, **values):
    """The tiny benchmark with values put in the second row of a split; None takes a value away."""
    config, split = place.split("/")
    rows = [dict(row) for row in SPLITS[config, split]]
    rows[1] = {name: value for name, value in (rows[1] | values).items() if value is not None}
    return SPLITS | {(config, split): rows}


FAULTS = {
    "empty truth": ("verbmem/forget", {"gt": ""}, "gt is empty"),
    "blank truth": ("verbmem/forget", {"gt": " \n"}, "gt is empty"),
    "empty prompt": ("verbmem/forget", {"prompt": ""}, "prompt is empty"),
    "empty question": ("knowmem/forget_qa", {"question": "\t"}, "question is empty"),
    "empty answer": ("knowmem/retain_qa_icl", {"answer": ""}, "answer is empty"),
    "empty text": ("raw/forget", {"text": ""}, "text is empty"),
    "missing": ("raw/forget", {"text": None}, "text is missing"),
    "list for a text": ("privleak/holdout", {"text": ["a", "b"]}, r"text \['a', 'b'\] is a list, not text"),
    "bytes for a text": ("raw/forget", {"text": b"abc"}, "text b'abc' is a bytes, not text"),
    "NUL": ("raw/forget", {"text": "a\0b"}, r"text holds '\\x00', which no tokenizer takes"),
    "half a character": ("knowmem/forget_qa", {"answer": "\ud800"}, r"answer holds '\\ud800', which no tokenizer"),
    "choices no list": ("utility/test", {"choices": "a, b"}, "choices 'a, b' is not a list of at least two texts"),
    "one choice": ("utility/test", {"choices": ["a"]}, r"choices \['a'\] is not a list of at least two texts"),
    "empty choice": ("utility/test", {"choices": ["a", ""]}, r"choices \['a', ''\] will not do: one is empty"),
    "missing choice": (
        "utility/test",
        {"choices": ["a", None]},
        "choices .* will not do: one None is a NoneType, not text",
    ),
    "choice twice": ("utility/test", {"choices": ["a", "a"]}, "choices .* will not do: one stands there twice"),
    "index too high": ("utility/test", {"answer": "4"}, "answer '4' is not the index, from 0, of one of 4 choices"),
    "no index": ("utility/test", {"answer": "B"}, "answer 'B' is not the index"),
    "negative": ("utility/test", {"answer": "-1"}, "answer '-1' is not the index"),
    "wrong answers no list": ("qa/forget", {"perturbed_answers": "x"}, "perturbed_answers 'x' is not a list of at"),
    "no wrong answer": (
        "qa/forget",
        {"perturbed_answers": []},
        r"perturbed_answers \[\] is not a list of at least one",
    ),
    "empty wrong answer": ("qa/forget", {"perturbed_answers": ["a", ""]}, "perturbed_answers .*: one is empty"),
    "in some rows": ("qa/forget", {"paraphrased_answer": None}, "paraphrased_answer is missing"),
    "mcq index": ("mcq/forget", {"answer": "2"}, "answer '2' is not the index, from 0, of one of 2 choices"),
    "neither 0 nor 1": ("style/shared", {"shared": "yes"}, "shared 'yes' is none of 0, 1"),
}


@pytest.mark.parametrize(("place", "values", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_value_that_no_score_can_use_is_named_with_its_split_and_row(place, values, fault):
    with pytest.raises(ValueError, match=rf"^benchmark 'b': split {place}, row 2: {fault}[^\n]*$"):
        check_benchmark(Benchmark("b", changed(place, **values)))


@pytest.mark.parametrize("ending", ["parquet", "json", "jsonl"])
def test_a_faulty_row_is_found_in_a_file_too(tmp_path, ending):
    write_benchmark(tmp_path, SPLITS)
    (tmp_path / "verbmem" / "forget.parquet").unlink()
    table = pd.DataFrame(changed("verbmem/forget", gt="")["verbmem", "forget"])
    file = tmp_path / "verbmem" / f"forget.{ending}"
    table.to_parquet(file) if ending == "parquet" else table.to_json(file, orient="records", lines=ending == "jsonl")
    with pytest.raises(ValueError, match="split verbmem/forget, row 2: gt is empty$"):
        load_benchmark(tmp_path)


@pytest.mark.parametrize(
    "choices",
    [["a", "1"], np.array(["a", "1"], dtype=object), ["a", 1], '["a", 1]', ' ["a", "1"]\n'],
    ids=["list", "array", "number", "JSON", "JSON of texts"],
)
def test_choices_are_a_list_however_they_were_stored(choices):
    assert make_rows([{"prompt": "p", "choices": choices, "answer": 0}]) == [
        {"prompt": "p", "choices": ["a", "1"], "answer": "0"}
    ]


def test_a_list_of_choices_is_read_from_every_kind_of_file(tmp_path):
    write_benchmark(tmp_path, SPLITS)
    rows = SPLITS["utility", "test"]
    (tmp_path / "utility" / "test.parquet").unlink()
    texts = {
        "json": json.dumps(rows),
        "jsonl": "\n".join(map(json.dumps, rows)),
        "csv": pd.DataFrame([row | {"choices": json.dumps(row["choices"])} for row in rows]).to_csv(index=False),
    }
    for ending, text in texts.items():
        file = tmp_path / "utility" / f"test.{ending}"
        file.write_text(text, encoding="utf-8")
        assert load_benchmark(tmp_path).rows("utility", "test") == rows
        file.unlink()


def test_columns_that_no_score_reads_are_left_out_and_a_benchmark_is_still_known_by_its_content(tmp_path):
    extra = {"stamp": pd.Timestamp(0), "vector": np.zeros(2), "raw": b"\xff"}
    rows = [row | extra for row in SPLITS["verbmem", "forget"]]
    write_benchmark(tmp_path, SPLITS | {("verbmem", "forget"): rows})
    benchmark = load_benchmark(tmp_path)
    assert benchmark.splits == SPLITS
    other = Benchmark(benchmark.name, changed("utility/test", choices=["a", "b", "c", "d"]))
    places = Places(data="", target="owner/target", retrained=None, tokenizer="owner/target")
    assert len({content(each, places) for each in (benchmark, other)}) == 2


@pytest.mark.parametrize(("config", "split"), OPTIONAL)
def test_an_optional_config_is_read_with_its_lists_as_json(tmp_path, config, split):
    rows = OPTIONAL[config, split]
    stored = [{name: json.dumps(v) if isinstance(v, list) else v for name, v in row.items()} for row in rows]
    write_benchmark(tmp_path, SPLITS | {(config, split): stored})
    assert load_benchmark(tmp_path).rows(config, split) == rows


def test_a_column_that_no_row_has_is_lacking_and_its_split_is_read_without_it(tmp_path):
    write_benchmark(tmp_path, SPLITS | {("qa", "forget"): [row | {"perturbed_answers": None} for row in ASKED]})
    rows = load_benchmark(tmp_path).rows("qa", "forget")
    assert rows == ASKED
    assert lacking(rows, "answer", "perturbed_answers") == "perturbed_answers"
    assert lacking(OPTIONAL["qa", "forget"], "answer", "perturbed_answers") == ""
    assert lacking([], "answer") == "answer"
