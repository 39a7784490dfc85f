"""`lethe benchmark show` prints rows of what is derived of a benchmark, and says in a line what cannot be."""

import pytest
from corpora import plain
from tiny import tiny_benchmark
from tiny_task import tiny_task
from typer.testing import CliRunner

from lethe_cli.benchmark import benchmark_app
from trainables.derivations import DERIVATIONS, WRITTEN


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    raw = {key: rows for key, rows in plain().splits.items() if key[0] == "raw"}
    return tiny_task(tmp_path_factory.mktemp("shown"), tiny_benchmark(2).splits | raw)


def shown(*args: str):
    return CliRunner().invoke(benchmark_app, ["show", *args])


def test_every_derivation_is_shown_with_counts_and_rows_but_those_that_the_target_writes(task):
    result = shown(task.benchmark, "--rows", "1")
    assert result.exit_code == 0, result.output
    assert [name for name in DERIVATIONS if f"\n{name}: " in f"\n{result.output}"] == [
        name for name in DERIVATIONS if name not in WRITTEN
    ]
    assert "facts: 6 forget, 6 retain1\n  What is told of whom: " in result.output
    assert "    prompt: 'Long ago Ada Orme opened a mill in the town of'\n    object: 'Orton'\n" in result.output
    assert "derived data 'proxy' is written by the target model, and none is given" in result.output
    assert "the target writes memo, own, own_memo, traces: --data NAME shows one of them" in result.output


def test_what_the_target_writes_is_shown_where_it_is_named(task):
    result = shown(task.benchmark, "--data", "own", "--model", task.model, "--rows", "1")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("own: 6 forget\n  Answers that the target writes to the questions")
    assert result.output.count("own: [") == 1


def test_muse_mini_is_shown_without_its_models():
    result = shown("muse-mini", "--data", "facts, pairs")
    assert result.exit_code == 0, result.output
    assert "facts: 420 forget, 420 retain1" in result.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["muse-mini", "--data", "facs"], "derived data 'facs' is unknown: choose facts,"),
        (["muse-mini", "--data", "knowmem"], "'knowmem' is scored, and what is scored is never training data"),
        (["muse-mini", "--rows", "0"], "--rows is 0: it must be at least 1"),
        (["muse-mini", "--seed", "-1"], "--seed is -1: it must lie between 0 and"),
    ],
)
def test_what_cannot_be_shown_is_one_line(args, message):
    assert str(shown(*args).exception).startswith(message)
