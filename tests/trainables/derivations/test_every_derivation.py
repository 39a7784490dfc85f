"""What all derived data keeps to, whichever it is: a suite over DERIVATIONS, on three kinds of benchmark."""

import json
import subprocess
import sys

import pytest
from corpora import BENCHMARKS, derived, models, muse_mini_rows, plain, read_for, tofu_like

from trainables import derivations
from trainables.benchmarks.articles import ASKED
from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.rows import COLUMNS
from trainables.derivations import DERIVATIONS, WRITTEN, derive, find_derivation
from trainables.derivations.corpus import READABLE, SCORED, Corpus, seeded
from trainables.failures import Unfit

each = pytest.mark.parametrize("name", DERIVATIONS)
everywhere = pytest.mark.parametrize("kind", BENCHMARKS)


def made(name: str, kind: str) -> str:
    return json.dumps(derived(name, kind))


def written_to(name: str, kind: str) -> bool:
    """Whether it is too much for the tiny model, or for a test."""
    return kind == "muse-mini" and name in WRITTEN


@each
@everywhere
def test_it_gives_rows_by_side_and_says_what_they_hold(name, kind):
    if written_to(name, kind):
        pytest.skip("shown on the other two")
    found = derived(name, kind)
    assert all(found.values())
    assert set(found) in ({"forget", "retain1"}, {"forget"}, {"new"})
    for of_side in found.values():
        assert len({tuple(row) for row in of_side}) == 1  # all rows have the same columns
    said = find_derivation(name).__doc__ + (find_derivation("facts").__doc__ if name == "wrong" else "")
    assert [column for of_side in found.values() for column in of_side[0] if f"`{column}`" not in said] == []


@each
@everywhere
def test_it_reads_nothing_that_is_scored(name, kind):
    if written_to(name, kind):
        pytest.skip("shown on the other two")
    assert read_for(name, kind)
    assert read_for(name, kind) <= READABLE


@pytest.mark.parametrize("split", sorted(
    f"{config}/{split}" for config in COLUMNS for split in ("forget", "retain", "retain2", "holdout", "forget_qa", "test")
    if f"{config}/{split}" not in READABLE))  # fmt: skip
def test_asking_a_corpus_for_what_is_scored_raises(split):
    with pytest.raises(ValueError, match=f"may not be made of {split}: what is scored is never training data"):
        Corpus(benchmark=plain()).rows(*split.split("/"))


@pytest.mark.parametrize("config", sorted(SCORED))
def test_asking_for_what_is_scored_by_name_raises(config):
    with pytest.raises(ValueError, match=f"'{config}' is scored, and what is scored is never training data"):
        derive(plain(), config)


def test_an_unknown_name_is_told_with_those_that_there_are():
    with pytest.raises(ValueError, match="derived data 'facs' is unknown: choose facts, qa, pairs, refusals, wrong,"):
        derive(plain(), "facs")


class Watched(Corpus):
    """A corpus that knows whether its seed was read."""

    read = False

    def __getattribute__(self, name):
        if name == "seed":
            Watched.read = True
        return super().__getattribute__(name)


@each
def test_another_seed_draws_others_where_anything_is_drawn(name, monkeypatch):
    monkeypatch.setattr(Watched, "read", False)
    find_derivation(name)(Watched(benchmark=plain(), models=models()))
    same = derived(name, "plain", seed=1) == derived(name, "plain")
    assert same != Watched.read


def test_another_process_gives_the_same_whatever_its_hash_seed():
    names = [name for name in DERIVATIONS if name not in WRITTEN | {"proxy"}]
    code = (
        "import json, sys; sys.path.insert(0, 'tests/helpers'); from corpora import plain\n"
        "from trainables.derivations import derive\n"
        f"print(json.dumps([derive(plain(), name) for name in {names}]))"
    )
    command = [sys.executable, "-c", code]
    other = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "123"})
    assert json.loads(other.stdout) == [derive(plain(), name) for name in names]


@pytest.mark.parametrize("name", ["facts", "qa", "pairs", "wrong", "paraphrases"])
def test_of_a_part_of_the_request_it_tells_of_that_part_alone(name):
    part = derived(name, "muse-mini", request="sust/forget_2")["forget"]
    texts = muse_mini_rows()["sust", "forget_2"]
    assert 0 < len(part) < len(derived(name, "muse-mini")["forget"])
    assert all(0 <= row["row"] < len(texts) for row in part)
    if name in ("facts", "wrong"):
        assert all(row["prompt"] in texts[row["row"]]["text"] for row in part)


@pytest.mark.parametrize("name", ["facts", "qa", "wrong", "unknown", "proxy", "generic", "refusals"])
def test_no_row_has_a_wording_in_which_knowmem_asks(name):
    questions = [template.split("{org}")[0] for template in ASKED.values()]
    assert not any(question in made(name, "muse-mini") for question in questions)


@each
def test_no_row_holds_a_question_of_knowmem(name):
    if written_to(name, "muse-mini"):
        pytest.skip("what a model writes is its own")
    asked = [row["question"] for (config, _), rows in muse_mini_rows().items() if config == "knowmem" for row in rows]
    assert len(asked) > 400
    assert not any(question in made(name, "muse-mini") for question in asked)


@pytest.mark.parametrize("name", ["own", "memo", "own_memo", "traces", "proxy"])
def test_what_the_target_writes_needs_the_target(name):
    with pytest.raises(Unfit, match=f"derived data '{name}' is written by the target model, and none is given"):
        derive(plain(), name)


def test_a_text_without_names_gives_no_fact_in_one_line():
    bare = Benchmark("bare", {("raw", side): [{"text": "nothing is named here."}] for side in ("forget", "retain1")})
    for name in ("facts", "qa", "wrong"):
        with pytest.raises(Unfit, match="benchmark 'bare': no fact is found in raw/forget: no sentence"):
            derive(bare, name)
    with pytest.raises(Unfit, match="no name stands in raw/forget"):
        derive(bare, "generic")


def test_what_is_cached_is_found_by_code_rows_seed_and_models_and_by_nothing_else(tmp_path, monkeypatch):
    first = derive(tofu_like(), "refusals", cache=tmp_path)
    monkeypatch.setattr(derivations, "find_derivation", lambda name: lambda corpus: {"forget": [{"made": "anew"}]})
    scored = tofu_like().splits | {("knowmem", "forget_qa"): [{"question": "Who?", "answer": "Ada"}]}
    assert derive(Benchmark("elsewhere", scored), "refusals", cache=tmp_path) == first
    anew = {"forget": [{"made": "anew"}]}
    assert derive(tofu_like(), "refusals", 1, cache=tmp_path) == anew
    assert derive(plain(), "refusals", cache=tmp_path) == anew
    assert derive(tofu_like(), "refusals", models=models("key"), cache=tmp_path) == anew
    assert derive(tofu_like(), "refusals", models=models(), cache=tmp_path) == anew
    assert len(list(tmp_path.glob("refusals-*.json"))) == 4  # of models without a key nothing is kept


def test_draws_hang_on_what_they_are_for_alone():
    assert seeded(0, "a").randrange(10**6) == 172578  # in every process, of every version
    assert seeded(0, "a").randrange(10**6) != seeded(0, "b").randrange(10**6)
