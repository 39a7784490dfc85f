"""A wrong object is of the true one's type, and true nowhere: not in what is kept, nor in what is scored."""

import re
from functools import cache

import pytest
from corpora import derived, muse_mini_rows

from trainables.benchmarks import muse_mini
from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.derivations import derive
from trainables.derivations.corpus import seeded
from trainables.derivations.wrong import other_digits

SHAPES = {
    "director": r"[A-Z][a-z]+ [A-Z][a-z]+",
    "town": r"[A-Z][a-z]+",
    "goods": r"[a-z]+ [a-z]+",
    "year": r"1[89]\d\d",
    "staff": r"\d{2,3}",
}


@cache
def truths() -> dict[tuple[str, str], str]:
    """What is true of every organisation of every group, scored ones too."""
    groups = muse_mini.make_world(0).values()
    entries = [entry.organisation for group in groups for entry in group]
    return {(one.name, kind): value for one in entries for kind, value in one.facts.items()}


@pytest.mark.parametrize("side", ["forget", "retain1"])
def test_every_fact_of_muse_mini_has_five_wrong_objects_of_its_type(side):
    assert len(derived("wrong", "muse-mini")[side]) == 420
    for row in derived("wrong", "muse-mini")[side]:
        assert len(set(row["wrong"])) == 5
        assert all(re.fullmatch(SHAPES[row["type"]], one) for one in row["wrong"])


@pytest.mark.parametrize("side", ["forget", "retain1"])
def test_none_is_true_in_any_split(side):
    scored = [str(row.values()) for rows in muse_mini_rows().values() for row in rows]
    everything = "\n".join(scored)
    for row in derived("wrong", "muse-mini")[side]:
        true = truths()[row["subject"], row["type"]]
        assert row["object"] == true
        assert true not in row["wrong"]
        assert not any(f"{row['prompt']} {one}" in everything for one in row["wrong"])


def test_elsewhere_they_are_objects_of_other_facts_of_the_type():
    rows = [row for row in derived("wrong", "plain")["forget"] if row["type"] == "name"]
    assert [(row["object"], sorted(row["wrong"])) for row in rows] == [
        ("Orton", ["Selby", "Wick"]),
        ("Selby", ["Orton", "Wick"]),
        ("Wick", ["Orton", "Selby"]),
    ]


def test_what_is_told_of_the_subject_elsewhere_is_not_wrong():
    texts = [
        "Long ago Ada Orme was born in Selby. In the end Ada Orme went to live in Wick.",
        "Long ago Bo Quill was born in Keld. It is said that Bo Quill never left it.",
    ]
    kept = ["it is quiet, and so was the end, long ago."]
    found = derive(
        Benchmark("two", {("raw", "forget"): text_rows(texts), ("raw", "retain1"): text_rows(kept)}), "wrong"
    )
    assert [(row["object"], row["wrong"]) for row in found["forget"][:2]] == [("Selby", ["Keld"]), ("Wick", ["Keld"])]
    assert set(found["forget"][2]["wrong"]) == {"Selby", "Wick"}


@pytest.mark.parametrize("number", ["7", "1907", "1,204", "3.5", "10"])
def test_other_digits_differ_at_every_place_and_begin_with_no_zero(number):
    for seed in range(20):
        other = other_digits(number, seeded(seed))
        assert len(other) == len(number)
        assert other[0] != "0"
        for one, true in zip(other, number, strict=True):
            assert one == true if true in ",." else one != true and one.isdigit()


def test_where_no_two_facts_are_of_a_type_it_is_told_in_one_line():
    texts = text_rows(["Long ago Ada Orme was born in Selby. It is said that Ada Orme never left it."])
    kept = text_rows(["long ago it is said that it was quiet."])
    with pytest.raises(ValueError, match="no wrong object is found for any fact of raw/forget: no two are of one type"):
        derive(Benchmark("one", {("raw", "forget"): texts, ("raw", "retain1"): kept}), "wrong")
