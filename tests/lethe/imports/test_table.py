"""Any table, by a mapping: which column is which score and parameter, and how rows lie in runs."""

import re

import pytest

from lethe.imports.mapping import Column, columns_of
from lethe.imports.rows import plain
from lethe.imports.table import read
from lethe.store.places import Place

TABLE = "who,ep,rouge,rate,layers,kind,fast\na,1,0.5,1e-3,4,adamw,true\na,2,0.25,1e-3,4,adamw,true\nb,1,0.75,0.01,8,sgd,false\n"


def table(tmp_path, text=TABLE):
    file = tmp_path / "t.csv"
    file.write_text(text)
    return file


def test_a_mapping_names_scores_parameters_runs_and_places(tmp_path):
    columns = columns_of(
        [
            "score:knowmem_f=rouge*100",
            "lr=rate",
            "layer=layers",
            "optimizer=kind",
            "fast=fast",
            "run=who",
            "at:epoch=ep",
        ]
    )
    first, second, third = read(table(tmp_path), columns).rows
    assert first.parameters == {"lr": 0.001, "layer": 4, "optimizer": "adamw", "fast": True}
    assert [row.scores for row in (first, second, third)] == [{"knowmem_f": v} for v in (50.0, 25.0, 75.0)]
    assert [(row.line, row.run, row.place) for row in (first, second)] == [
        (2, "a", Place("epoch", 1, "model")),
        (3, "a", Place("epoch", 2, "model")),
    ]


def test_without_a_run_every_line_is_one_known_by_what_it_says(tmp_path):
    columns = columns_of(["score:knowmem_f=rouge", "lr=rate"])
    runs = [row.run for row in read(table(tmp_path), columns).rows]
    assert len(set(runs)) == 3
    assert runs == [row.run for row in read(table(tmp_path), columns).rows]


def test_broken_rows_are_told_with_their_lines(tmp_path):
    file = table(tmp_path, "who,rouge,ep\na,0.5\n,0.5,1\nb,,1\nc,inf,1\nd,0.5,\ne,0.5,1\n")
    found = read(file, columns_of(["score:knowmem_f=rouge", "run=who", "at:epoch=ep"]))
    assert [(oddity.line, oddity.reason) for oddity in found.oddities] == [
        (2, "it has 2 cells, and the head has 3"),
        (3, "its who is empty: which run is it of?"),
        (4, "it has no scores"),
        (5, "knowmem_f is 'inf': it must be a finite number"),
        (6, "ep is '': it must be a finite number"),
    ]
    assert [row.run for row in found.rows] == ["e"]


MISTAKES = {
    "lr": r"^--map 'lr' is not NAME=COLUMN: give ",
    "lr=": r"^--map 'lr=' is not NAME=COLUMN",
    "score:=x": r"^--map 'score:=x' is not NAME=COLUMN",
    "lr=b": r"^--map names 'lr' twice$",
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistaken_mapping_is_told_in_one_line(text, message):
    with pytest.raises(ValueError, match=message):
        columns_of(["lr=a", text])


def test_a_column_that_is_not_there_and_a_table_without_a_score_are_told(tmp_path):
    with pytest.raises(ValueError, match=r"has no column 'loss' \(there: who, ep, rouge, rate, layers, kind, fast\)$"):
        read(table(tmp_path), columns_of(["score:knowmem_f=loss"]))
    with pytest.raises(ValueError, match="of .* no score is named: give --map score:knowmem_f=COLUMN"):
        read(table(tmp_path), columns_of(["lr=rate"]))
    assert columns_of(["score:a=b*2.5"]).scores == {"a": Column("b", 2.5)}


def test_cells_are_read_as_they_were_meant():
    texts = {"3": 3, "3.5": 3.5, "1e-5": 1e-5, "true": True, "sgd": "sgd", "": None, "nan": None}
    assert {text: plain(text, "it") for text in texts} == texts


ENDLESS = {
    "inf": (float("inf"), "it is inf: it must be a finite number"),
    "-1e999": (-float("inf"), "it is -inf: it must be a finite number"),
    f"1{'0' * 400}": (10**400, f"it is 1{'0' * 400}: it must be a finite number"),
    "9007199254740993": (2**53 + 1, "it is 9007199254740993: it has more digits than a store keeps"),
}


@pytest.mark.parametrize("text", ENDLESS, ids=["inf", "-1e999", "10**400", "2**53+1"])
def test_a_number_that_no_store_keeps_is_told_as_text_and_as_a_number(text):
    number, reason = ENDLESS[text]
    for value in (text, number):
        with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
            plain(value, "it")


def test_a_row_whose_parameter_is_infinite_or_whose_score_becomes_so_is_odd_and_the_rest_is_read(tmp_path):
    file = table(tmp_path, "rouge,rate\n0.5,inf\n1e308,0.1\n0.5,1e308\n0.5,0.1\n")
    found = read(file, columns_of(["score:knowmem_f=rouge*100", "lr=rate*10"]))
    assert [str(oddity) for oddity in found.oddities] == [
        f"{file}:2: lr is inf: it must be a finite number",
        f"{file}:3: knowmem_f is inf: it must be a finite number",
        f"{file}:4: lr is inf: it must be a finite number",
    ]
    assert [row.line for row in found.rows] == [5]
