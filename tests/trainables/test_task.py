"""A task names its data and models; what it leaves open is the benchmark's own."""

from types import SimpleNamespace

import pytest
from tiny_folders import benchmark_folder

from trainables import task as tasks
from trainables.benchmarks import muse_mini
from trainables.task import Places, Task, cache_of, locate


def test_a_hub_benchmark_brings_its_models_and_its_tokenizer():
    assert locate(Task(benchmark="muse-news")) == Places(
        data="muse-bench/MUSE-News",
        target="muse-bench/MUSE-News_target",
        retrained="muse-bench/MUSE-News_retrain",
        tokenizer="meta-llama/Llama-2-7b-hf",
    )


def test_a_model_of_one_s_own_comes_with_its_own_tokenizer():
    places = locate(Task(benchmark="muse-news", model="me/mine"))
    assert (places.target, places.tokenizer) == ("me/mine", "me/mine")
    assert places.retrained == "muse-bench/MUSE-News_retrain"
    assert locate(Task(benchmark="muse-news", retrained="me/other")).retrained == "me/other"


def test_a_folder_has_the_models_that_the_task_names_and_no_others(tmp_path):
    folder = str(benchmark_folder(tmp_path / "b"))
    places = locate(Task(benchmark=folder, model="me/mine"))
    assert places == Places(data=folder, target="me/mine", retrained=None, tokenizer="me/mine")


def test_a_benchmark_without_a_target_model_needs_one(tmp_path):
    folder = str(benchmark_folder(tmp_path / "b"))
    with pytest.raises(ValueError, match=f"benchmark '{folder}' names no target model: give one with --model"):
        locate(Task(benchmark=folder))


def test_muse_mini_is_made_in_the_cache_and_its_progress_told(monkeypatch, tmp_path):
    seen = SimpleNamespace(cache=None, steps=[])

    def prepare(cache, *, on_progress):
        seen.cache = cache
        on_progress("target", 1, 2)
        return cache / "made"

    monkeypatch.setattr(muse_mini, "prepare", prepare)
    places = locate(Task(benchmark="muse-mini", cache=str(tmp_path)), on_progress=lambda *told: seen.steps.append(told))
    made = tmp_path / "made"
    assert places == Places(
        data=f"{made}/data", target=f"{made}/target", retrained=f"{made}/retrained", tokenizer=f"{made}/target"
    )
    assert seen.cache == tmp_path
    assert seen.steps == [("target", 1, 2)]


def test_the_cache_is_the_task_s_or_the_user_s(monkeypatch, tmp_path):
    assert cache_of(Task(benchmark="x", cache=str(tmp_path))) == tmp_path
    monkeypatch.setattr(tasks, "default_cache", lambda: tmp_path / "user")
    assert cache_of(Task(benchmark="x")) == tmp_path / "user"
