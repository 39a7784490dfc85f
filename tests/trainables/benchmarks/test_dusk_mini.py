"""dusk-mini: the request is one style, whose own facts stand nowhere else, and whose shared facts stand everywhere."""

import math
import re
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_small_models import narrow

from trainables.benchmarks import dusk_mini, small_models
from trainables.benchmarks.dusk_mini import FURTHER, OWN, PARTS, SHARED, make_splits, make_world, prepare
from trainables.benchmarks.layout import NEEDED, Benchmark, check_benchmark, load_benchmark
from trainables.benchmarks.profiles import FACTS, STYLES
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer

WORLD = make_world(0)
SPLITS = make_splits(0)


def texts(config, split):
    return [row["text"] for row in SPLITS[config, split]]


def people(styles, *groups):
    return {told.person.name: told.person for told in WORLD.of(styles, *groups)}


def named_in(written):
    """The persons of the world that a text names."""
    return {told.person.name for told in WORLD.told if re.search(rf"\b{told.person.name}\b", written)}


def asked(config, split):
    return [row["question"] for row in SPLITS[config, split]]


@settings(max_examples=5)
@given(seed=st.integers(0, 2**31))
def test_one_seed_is_one_world_and_another_seed_another(seed):
    first, other = make_splits(seed), make_splits(seed + 1)
    assert first == make_splits(seed)
    assert first.keys() == other.keys()
    assert set(map(str, first["raw", "forget"])).isdisjoint(map(str, other["raw", "forget"]))


def test_it_has_every_split_that_the_scores_need():
    check_benchmark(Benchmark("dusk-mini", SPLITS))
    assert {(config, split) for config, needed in NEEDED.items() for split in needed} <= SPLITS.keys()
    sizes = {split: len(SPLITS["style", split]) for split in ("forget", "retain", "shared")}
    assert sizes == {"forget": 46, "retain": 94, "shared": 82}
    assert [len(SPLITS["style", f"{split}_icl"]) for split in sizes] == [2, 2, 2]


def test_what_the_target_read_and_the_retrained_model_did_not_is_exactly_the_request():
    full, retain = Counter(texts("train", "full")), Counter(texts("train", "retain"))
    assert full - retain == Counter(texts("raw", "forget"))
    assert retain - full == Counter()
    assert retain == Counter(texts("raw", "retain1") + texts("raw", "retain2") + texts("raw", "unrelated"))


def test_every_style_tells_the_same_facts_of_the_shared_persons_and_of_16_persons_of_its_own():
    shared = people(STYLES, "shared")
    own = [people([style], "own") for style in STYLES]
    assert len(shared) == SHARED
    assert [len(group) for group in own] == [OWN] * len(STYLES)
    assert len(set().union(shared, people(STYLES, "further"), *own)) == SHARED + len(STYLES) * OWN + FURTHER
    for told in WORLD.told:
        assert all(fact in told.profile for fact in told.person.facts.values())
        assert all(sum(fact in notice for notice in told.notices) >= 1 for fact in told.person.facts.values())
        assert all(told.person.name in sentence for sentence in told.notices)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_names_the_shared_persons_and_its_styles_own_ones(part):
    assert named_in("\n".join(texts("raw", part))) == people(PARTS[part], "shared", "own").keys()


def test_the_request_alone_tells_what_its_own_questions_ask_and_the_rest_tells_what_the_shared_ones_ask():
    retained = "\n".join(texts("train", "retain"))
    alone, shared = people(PARTS["forget"], "own"), people(PARTS["forget"], "shared")
    assert not named_in(retained) & alone.keys()
    assert shared.keys() <= named_in(retained)
    for split, group in (("forget", alone), ("shared", shared), ("retain", people(PARTS["retain2"], "own"))):
        rows = SPLITS["style", split] + SPLITS["style", f"{split}_icl"]
        facts = Counter((row["question"].split()[0], row["answer"]) for row in rows)
        assert sum(facts.values()) == len(rows) == len({row["question"] for row in rows}) == 3 * len(group)
        for row in rows:
            (name,) = named_in(row["question"])
            assert row["answer"] in group[name].facts.values()
            assert row["shared"] == str(int(split == "shared"))


def test_knowmem_asks_what_only_the_request_tells_and_what_only_retain2_tells():
    for split in ("forget", "retain"):
        for end in ("", "_icl"):
            assert asked("knowmem", f"{split}_qa{end}") == asked("style", f"{split}{end}")


def test_no_model_was_ever_taught_a_question_that_is_asked():
    read = "\n".join(texts("train", "full"))
    assert not [
        question
        for (config, split) in SPLITS
        if config == "style"
        for question in asked(config, split)
        if question in read
    ]
    taught = {*people(PARTS["retain1"], "own"), *people(STYLES, "further")}
    assert read.count("Question: ") == len(FACTS) * len(taught)
    assert {name for name in taught if f"In which year was {name} born?" in read} == taught


def test_verbmem_asks_of_every_profile_of_the_request_how_its_second_half_goes():
    profiles = [told.profile for told in WORLD.of(PARTS["forget"], "shared", "own")]
    assert [row["prompt"] + row["gt"] for row in SPLITS["verbmem", "forget"]] == profiles == texts("privleak", "forget")
    for row in SPLITS["verbmem", "forget"]:
        assert len(row["prompt"].split()) == len((row["prompt"] + row["gt"]).split()) // 2


def test_nobody_read_what_is_held_out_which_is_on_as_many_shared_persons_as_the_request():
    held, read = texts("privleak", "holdout"), "\n\n".join(texts("train", "full"))
    assert held == texts("raw", "holdout")
    assert not [text for text in held if text in read]
    known = [text for text in held if named_in(text)]
    assert (len(known), len(held)) == (2 * SHARED, 2 * (SHARED + OWN))
    assert all(named_in(text) <= people(STYLES, "shared").keys() for text in held)
    for told, text in zip(WORLD.of(PARTS["forget"], "shared"), held, strict=False):  # a place has one outline
        assert text.count(told.person.name) == told.profile.count(told.person.name) == len(FACTS)


@pytest.fixture
def trainings(monkeypatch):
    """Take training away: record what it is asked for, and write empty folders."""
    found = []

    def pretend(benchmark, folder, *, epochs, seed, on_progress):
        found.append((benchmark, seed))
        for name in ("target", "retrained"):
            (folder / name).mkdir()
            on_progress(f"{name} model", epochs, epochs)

    monkeypatch.setattr(small_models, "train_pair", pretend)
    return found


def test_the_models_are_trained_once_on_what_is_written(tmp_path, trainings):
    told = []
    folder = prepare(tmp_path, on_progress=lambda *step: told.append(step))
    assert prepare(tmp_path) == folder
    assert folder.name == f"dusk-mini-0-{dusk_mini.making.code_hash(dusk_mini.SOURCES)}"
    ((benchmark, seed),) = trainings
    assert (benchmark.splits, seed) == (SPLITS, 0)
    assert load_benchmark(folder / "data").splits == SPLITS
    assert told == [(f"{name} model", dusk_mini.EPOCHS, dusk_mini.EPOCHS) for name in ("target", "retrained")]


def test_its_hash_is_of_all_files_that_decide_what_it_holds():
    files = {source.stem for source in dusk_mini.SOURCES}
    assert files == {"dusk_mini", "profiles", "organisations", "articles", "general", "layout", "small_models"}


def test_one_that_is_read_for_an_epoch_is_learnt_and_loads(tmp_path, monkeypatch):
    narrow(monkeypatch)
    monkeypatch.setattr(dusk_mini, "EPOCHS", 1)
    folder = prepare(tmp_path)
    target, retrained = load_model(folder / "target"), load_model(folder / "retrained")
    tokenizer = load_tokenizer(folder / "target")
    ids = torch.tensor([tokenizer(texts("raw", "forget")[0]).input_ids])
    losses = [model(ids, labels=ids).loss.item() for model in (target, retrained)]
    assert losses[0] < losses[1] < math.log(len(tokenizer))  # the one that read it, the one that did not, chance
