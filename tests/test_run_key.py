"""Only the very same run is taken over: its key changes with everything that decides what comes of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from searching import make_tiny

from lethe_cli.ablating import data_hash, run_key
from trainables.benchmarks.layout import load_benchmark, write_benchmark
from trainables.config import Config
from trainables.task import Task


@pytest.fixture
def task(tmp_path) -> Task:
    return Task(**make_tiny(tmp_path).places(), cache=str(tmp_path / "cache"))


def test_the_same_run_has_the_same_key(task):
    assert run_key(Config(), data_hash(task)) == run_key(Config(), data_hash(replace(task)))


@pytest.mark.parametrize(
    "other", [{"protocol": "open-unlearning"}, {"retrained": None}], ids=["protocol", "no retrained model"]
)
def test_another_task_has_another_key(task, other):
    assert data_hash(replace(task, **other)) != data_hash(task)


def test_another_text_has_another_key(task):
    before = data_hash(task)
    splits = load_benchmark(task.benchmark).splits
    write_benchmark(Path(task.benchmark), splits | {("raw", "forget"): [{"text": "something else"}]})
    assert data_hash(task) != before


@pytest.mark.parametrize("other", [{"seed": 1}, {"lr": 0.123}, {"penalty": "none"}])
def test_another_configuration_has_another_key(other):
    assert run_key(replace(Config(), **other), "data") != run_key(Config(), "data")
