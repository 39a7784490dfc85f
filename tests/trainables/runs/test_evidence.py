"""What is told of texts and models without showing them: the same for the same content, wherever it lies."""

import hashlib
import json
import shutil

import pytest
from tiny import article

from trainables.benchmarks import muse_mini
from trainables.benchmarks.layout import Benchmark, load_benchmark, text_rows, write_benchmark
from trainables.content import content
from trainables.runs import evidence
from trainables.task import Places, Task, locate


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
    shutil.copytree(tiny.folder, tmp_path / "tiny")
    places = {name: str(tmp_path / "tiny" / place) for name, place in (("benchmark", "data"), ("model", "target"))}
    task = Task(**places)
    known = content(evidence.load_rows(task.benchmark), locate(task))
    rows, found = evidence.find_made_from(task, known)
    assert (found.target, len(evidence.forgotten(rows))) == (places["model"], 4)
    before = evidence.revision_of(places["model"])
    (tmp_path / "tiny" / "target" / "config.json").write_text("{}")
    assert evidence.find_made_from(task, known) is None
    assert evidence.find_made_from(task, None) is None
    assert evidence.revision_of(places["model"]) != before


def test_of_muse_mini_the_version_that_a_study_was_made_from_is_found_and_none_is_made(tiny, tmp_path):
    task = Task(benchmark="muse-mini", cache=str(tmp_path))
    for name, texts in (("old", tiny.folder / "target"), ("new", tiny.folder / "retrained")):
        shutil.copytree(tiny.folder / "data", tmp_path / f"muse-mini-0-{name}" / "data")
        for model in ("target", "retrained"):
            shutil.copytree(texts, tmp_path / f"muse-mini-0-{name}" / model)
    old = tmp_path / "muse-mini-0-old"
    places = Places(
        data=str(old / "data"),
        target=str(old / "target"),
        retrained=str(old / "retrained"),
        tokenizer=str(old / "target"),
    )
    known = content(load_benchmark(old / "data"), places)
    assert evidence.find_made_from(task, known)[1] == places
    assert evidence.find_made_from(task, "another") is None
    (tmp_path / "muse-mini-0-broken" / "data" / "raw").mkdir(parents=True)  # it is looked at first
    assert evidence.find_made_from(task, known)[1] == places
    with pytest.raises(ValueError, match="muse-mini-0-broken"):
        evidence.find_made_from(task, "another")


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


def test_documents_of_several_requests_are_told_once_each_in_their_order():
    splits = {("sust", "forget_1"): text_rows(["a", "b"]), ("sust", "forget_2"): text_rows(["b", "c"])}
    told = evidence.forgotten(Benchmark("x", splits), ("sust/forget_1", "sust/forget_2"))
    assert told == [hashlib.sha256(text.encode()).hexdigest() for text in ("a", "b", "c")]
