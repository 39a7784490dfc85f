"""What is told of texts and models without showing them: the same for the same content, wherever it lies."""

import hashlib
import json
import shutil

import pytest
from tiny import article

from trainables.benchmarks import muse_mini
from trainables.benchmarks.layout import load_benchmark, write_benchmark
from trainables.runs import evidence
from trainables.task import Task


def test_a_document_is_known_by_the_sha256_of_its_text(tiny):
    rows = evidence.load_rows(tiny.places()["benchmark"])
    assert evidence.forgotten(rows)[2] == hashlib.sha256(article(2).encode("utf-8")).hexdigest()


def test_a_copy_holds_the_same_rows_and_a_changed_one_others(tiny, tmp_path):
    splits = load_benchmark(tiny.places()["benchmark"]).splits
    write_benchmark(tmp_path / "copy", splits)
    write_benchmark(tmp_path / "other", splits | {("raw", "forget"): [{"text": "Another."}]})
    same, copy, other = (
        evidence.rows_hash(evidence.load_rows(str(place)))
        for place in (tiny.places()["benchmark"], tmp_path / "copy", tmp_path / "other")
    )
    assert same == copy != other


def test_the_rows_of_muse_mini_are_those_of_the_benchmark_that_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr("trainables.benchmarks.small_models.train_pair", lambda *given, **named: None)
    made = muse_mini.prepare(tmp_path)
    assert evidence.rows_hash(evidence.load_rows("muse-mini")) == evidence.rows_hash(load_benchmark(made / "data"))


def test_a_study_whose_models_were_changed_since_is_found_out(tiny, tmp_path):
    from trainables.content import content
    from trainables.task import locate

    shutil.copytree(tiny.folder, tmp_path / "tiny")
    places = {name: str(tmp_path / "tiny" / place) for name, place in (("benchmark", "data"), ("model", "target"))}
    task = Task(**places)
    rows = evidence.load_rows(task.benchmark)
    known = content(rows, locate(task))
    assert evidence.is_unchanged(rows, task, known)
    before = evidence.revision_of(places["model"])
    (tmp_path / "tiny" / "target" / "config.json").write_text("{}")
    assert not evidence.is_unchanged(rows, task, known)
    assert evidence.revision_of(places["model"]) != before


def test_readings_that_are_gone_or_broken_are_none(tmp_path):
    items = {"target": str(tmp_path / "target.parquet")}
    assert evidence.readings_beside(items) == evidence.readings_beside({}) == {}
    (tmp_path / "references.json").write_text("{")
    assert evidence.readings_beside(items) == {}
    (tmp_path / "references.json").write_text(json.dumps({"reference": None, "passes": {"decode": "even"}}))
    assert evidence.readings_beside(items) == {"reference": None, "passes": {"decode": "even"}}


def test_a_benchmark_that_is_not_there_is_one_line():
    with pytest.raises(ValueError, match="^benchmark 'mused' is unknown"):
        evidence.load_rows("mused")
