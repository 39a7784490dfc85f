"""What is scored is never training data: which rows each method is given, of a benchmark that records its reads."""

from dataclasses import replace

import pytest
from corpora import Recording, plain
from tiny import tiny_benchmark
from tiny_task import tiny_task

from trainables.derivations import DERIVATIONS
from trainables.derivations.corpus import READABLE
from trainables.methods import METHODS, find_method, needs_of
from trainables.runs.legs import legs_of
from trainables.runs.run_folder import RunFolder
from trainables.runs.unlearning import Unlearner
from trainables.settings import REQUESTS, Descent

each_method = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def unlearner(tmp_path_factory):
    """Of a task whose texts tell facts, and come as requests too."""
    splits = tiny_benchmark(2).splits | {key: rows for key, rows in plain().splits.items() if key[0] == "raw"}
    requests = {tuple(split.split("/")) for parts in REQUESTS.values() for split in parts}
    splits |= dict.fromkeys(requests, splits["raw", "forget"])
    unlearner = Unlearner(tiny_task(tmp_path_factory.mktemp("read"), splits))
    unlearner.loaded = replace(unlearner.loaded, benchmark=Recording(unlearner.loaded.benchmark))
    return unlearner


def read_by(unlearner, settings, folder) -> set[str]:
    """The splits of which the first leg of a run is given rows."""
    unlearner._tokens.clear()
    unlearner.loaded.benchmark.read.clear()
    unlearner._start(settings, next(iter(legs_of(settings, 0))), RunFolder(folder))
    return set(unlearner.loaded.benchmark.read)


@each_method
def test_a_method_is_given_no_row_that_is_scored(name, unlearner, tmp_path):
    settings = find_method(name).settings
    ways = [{}]
    if issubclass(settings, Descent):
        requests = [r for r in ("all", "scal_2", "sust") if r in settings.allowed()["request"].choices]
        kept = settings.allowed()["regularisation"].choices
        ways = [{"regularisation": one, "request": r} for one in kept for r in requests]
    for way in ways:
        read = read_by(unlearner, settings(**way), tmp_path)
        assert read
        assert read <= READABLE


@each_method
def test_a_method_needs_only_data_that_there_are(name):
    assert set(needs_of(find_method(name).settings()).data) <= set(DERIVATIONS)


def test_a_run_that_is_given_scored_rows_would_be_seen(unlearner, tmp_path):
    unlearner.loaded.benchmark.rows("knowmem", "forget_qa")
    assert not unlearner.loaded.benchmark.read <= READABLE
