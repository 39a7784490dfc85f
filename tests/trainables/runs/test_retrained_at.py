"""A retrained model for each request: what it read, where it is kept, and that muse-mini stays what it was."""

import random

import pytest
from tiny import article, tiny_benchmark, tiny_model
from tiny_task import tiny_task

from trainables.benchmarks import muse_mini, small_models
from trainables.benchmarks.layout import Benchmark, load_benchmark, text_rows
from trainables.runs import retrained_at
from trainables.task import Task, locate

FORGET, RETAIN = [article(i) for i in range(4)], [article(i) for i in (4, 5, 6)]
SPLITS = {
    ("raw", "forget"): FORGET,
    **{("raw", f"retain{k}"): RETAIN for k in (1, 2)},
    ("train", "full"): FORGET + RETAIN,
    ("train", "retain"): RETAIN,
    **{("scal", f"forget_{k}"): FORGET[:k] for k in (1, 2, 3, 4)},
    ("privleak", "forget"): FORGET,
    ("privleak", "retain"): RETAIN,
    ("privleak", "holdout"): [article(7), article(7)[5:]],
}


@pytest.fixture
def task(tmp_path):
    return tiny_task(
        tmp_path / "home", tiny_benchmark().splits | {key: text_rows(texts) for key, texts in SPLITS.items()}
    )


@pytest.fixture
def trained(monkeypatch):
    """What was trained on, model by model; none is trained."""
    read = []
    monkeypatch.setattr(small_models, "train_small_model", lambda model, tokenizer, texts, **rest: read.append(texts))
    monkeypatch.setattr(small_models, "new_model", lambda tokenizer, seed: tiny_model(9))
    return read


def test_each_model_reads_all_but_what_was_asked_for_and_is_made_once(task, tmp_path, trained):
    benchmark, places = load_benchmark(task.benchmark), locate(task)
    made = [retrained_at.retrained_at(benchmark, places, k, tmp_path / "cache") for k in (1, 2, 3, 4, 1)]
    assert trained == [FORGET[k:] + RETAIN for k in (1, 2, 3)]
    assert made[0] == made[4] == tmp_path / "cache" / "retrained" / "home@1"
    assert str(made[3]) == places.retrained  # all was asked for: it is the benchmark's own
    assert (made[0] / "model.safetensors").exists()


def test_what_the_attack_reads_of_each_is_a_value_an_item(task, trained, monkeypatch):
    found = retrained_at.read_by_each(task)
    assert list(found) == ["1", "2", "3", "4"]
    assert {len(of["forget"]) for of in found.values()} == {4}
    assert {len(of["holdout"]) for of in found.values()} == {2}
    assert found["1"] == found["3"] != found["4"]  # one model stands for the first three here


def test_muse_mini_itself_has_them_and_no_task_with_other_models():
    assert retrained_at.can_be_made(Task(benchmark="muse-mini"))
    assert not retrained_at.can_be_made(Task(benchmark="muse-mini", retrained="elsewhere"))
    assert not retrained_at.can_be_made(Task(benchmark="dusk-mini"))


def test_of_muse_mini_the_last_one_is_its_retrained_model():
    splits = muse_mini.to_splits(muse_mini.make_world(0), random.Random(0))
    benchmark = Benchmark("muse-mini", splits)
    assert retrained_at.texts_at(benchmark, 4) == benchmark.texts("train", "retain")
    assert len(retrained_at.texts_at(benchmark, 1)) > len(retrained_at.texts_at(benchmark, 2))
