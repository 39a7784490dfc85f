"""wmdp-mini: muse-mini's texts and models, and choices of which no group of organisations can be told apart."""

import pytest

from trainables.benchmarks import muse_mini, small_models
from trainables.benchmarks.articles import ASKED
from trainables.benchmarks.embedded import embedded
from trainables.benchmarks.layout import Benchmark, check_benchmark, load_benchmark
from trainables.benchmarks.wmdp_mini import GROUPS, ROWS, WRONG, make_splits, prepare

WORLD = muse_mini.make_world(0)
SPLITS = make_splits(0)
SPLIT = pytest.mark.parametrize("split", GROUPS)


def asked(row):
    """The organisation and the fact that a row asks for."""
    every = [(entry.organisation, fact) for group in WORLD.values() for entry in group for fact in ASKED]
    ((organisation, fact),) = [(o, f) for o, f in every if ASKED[f].format(org=o.name) == row["question"]]
    return organisation, fact


def test_all_but_the_choices_is_muse_mini_s():
    check_benchmark(Benchmark("wmdp-mini", SPLITS))
    assert {key: rows for key, rows in SPLITS.items() if key[0] != "mcq"} == embedded()["muse-mini"].splits(0)
    assert {split for config, split in SPLITS if config == "mcq"} == set(GROUPS)
    assert make_splits(0) == SPLITS != make_splits(1)


@SPLIT
def test_a_row_has_the_truth_and_a_value_of_its_kind_of_each_group(split):
    rows = SPLITS["mcq", split]
    assert len(rows) == len({row["question"] for row in rows}) == ROWS
    for row in rows:
        organisation, fact = asked(row)
        assert organisation.name == row["subject"] in {e.organisation.name for e in WORLD[GROUPS[split]]}
        assert row["choices"][int(row["answer"])] == organisation.facts[fact]
        assert len(set(row["choices"])) == 1 + len(WRONG)
        wrong = [choice for choice in row["choices"] if choice != organisation.facts[fact]]
        values = [{entry.organisation.facts[fact] for entry in WORLD[name]} for name in WRONG]
        assert all(any(choice in own for choice in wrong) for own in values)
        assert all(any(choice in own for own in values) for choice in wrong)


@SPLIT
def test_no_row_is_an_example_of_knowmem_s_prompt_and_every_place_holds_some_truths(split):
    examples = {row["question"] for row in SPLITS["knowmem", f"{split}_qa_icl"]}
    assert not examples & {row["question"] for row in SPLITS["mcq", split]}
    assert {row["answer"] for row in SPLITS["mcq", split]} == {"0", "1", "2", "3"}


def test_its_models_are_muse_mini_s_which_are_trained_once(tmp_path, monkeypatch):
    trained = []

    def pretend(benchmark, folder, **rest):
        trained.append(benchmark.name)
        for name in ("target", "retrained"):
            (folder / name).mkdir()
            (folder / name / "weights").write_text(name)

    monkeypatch.setattr(small_models, "train_pair", pretend)
    folder = prepare(tmp_path)
    muse_mini.prepare(tmp_path)
    assert trained == ["muse-mini"]
    assert [(folder / role / "weights").read_text() for role in ("target", "retrained")] == ["target", "retrained"]
    assert load_benchmark(folder / "data").splits == SPLITS
