"""What is made here is made once, whole, and under a name that tells the seed and the code."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from trainables.benchmarks import MADE
from trainables.benchmarks.embedded import embedded
from trainables.benchmarks.making import code_hash, prepare


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("x = 1")
    return file


def test_who_asks_at_once_or_later_gets_what_one_has_made(tmp_path, source):
    made = []

    def make(folder):
        folder.mkdir()
        made.append((folder / "data").write_text("rows"))

    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: prepare("mini", 3, [source], tmp_path / "cache", make), range(4)))
    (folder,) = folders
    assert len(made) == 1
    assert folder.name == f"mini-3-{code_hash([source])}"
    assert (folder / "data").read_text() == "rows"


def test_one_that_is_interrupted_leaves_nothing(tmp_path, source):
    def interrupted(folder):
        folder.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare("mini", 0, [source], tmp_path / "cache", interrupted)
    assert [place for place in (tmp_path / "cache").iterdir() if place.is_dir()] == []


def test_other_code_has_another_hash(source):
    before = code_hash([source])
    source.write_text("x = 2")
    assert code_hash([source]) != before


def test_every_benchmark_that_is_made_here_has_its_maker():
    assert set(embedded()) == set(MADE)
