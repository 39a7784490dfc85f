"""A preset runs as it is, on a small model, through `lethe train`; sharded over two workers it is in test_parallel.py."""

import json
import math

import pytest
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from lethe_cli import request
from lethe_cli.train import train
from trainables import benchmarks
from trainables.benchmarks import Source
from trainables.benchmarks.layout import text_rows, write_benchmark
from trainables.subjects.models import save_model


@pytest.fixture
def small_news(tmp_path, monkeypatch):
    """A benchmark and two models on disk that go by the name of muse-news."""
    retain = text_rows(["The farm lies near Keld.", "Hal Finch opened a shop in Thorne."])
    write_benchmark(tmp_path / "data", tiny_benchmark(2).splits | {("raw", "retain1"): retain})
    for name, seed in (("target", 0), ("retrained", 5)):
        save_model(tiny_model(seed), tiny_tokenizer(), tmp_path / name)
    places = {name: str(tmp_path / name) for name in ("data", "target", "retrained")}
    monkeypatch.setitem(benchmarks.BENCHMARKS, "muse-news", Source(**places))
    monkeypatch.setattr(request, "default_cache", lambda: tmp_path / "cache")
    return tmp_path


@pytest.mark.slow
def test_lethe_train_runs_muse_news_with_its_preset_and_prints_the_plan_first(small_news, capsys):
    train(benchmark="muse-news", settings=["steps=2", "eval_every=2"], out=str(small_news / "out"), as_json=True)
    printed = capsys.readouterr()
    candidates = json.loads(printed.out)["candidates"]
    assert [(candidate["at"], candidate["role"]) for candidate in candidates] == [(2, "student"), (2, "teacher")]
    assert all(math.isfinite(score[0]) for candidate in candidates for score in candidate["scores"].values())
    assert "it/s" not in printed.err  # the bars of a library that loads and saves
    said = " ".join(printed.err.split())
    assert 0 <= said.index("preset muse-news: lr=0.0005") < said.index("memory plan: 0.00B parameters on 1 worker")
