"""muse-mini: the request is all that the retrained model has not read; no question that is asked was ever taught."""

import itertools
import math
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_small_models import narrow

from trainables.benchmarks import general, muse_mini, small_models
from trainables.benchmarks.layout import COLUMNS, NEEDED, Benchmark, check_benchmark, load_benchmark
from trainables.benchmarks.making import code_hash
from trainables.benchmarks.muse_mini import SIZES, make_world, prepare, to_splits
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer

WORLD = make_world(0)
SPLITS = to_splits(WORLD, random.Random(0))
QUARTERS = [10, 11, 11, 10]  # organisations
ARTICLES = {entry.article for group in WORLD.values() for entry in group}


def texts(config, split):
    return [row["text"] for row in SPLITS[config, split]]


def names(group):
    return [entry.organisation.name for entry in WORLD[group]]


def named_in(rows):
    """The organisations of any group that a split's values name."""
    written = "\n".join(str(value) for row in rows for value in row.values())
    return {name for group in WORLD for name in names(group) if re.search(rf"\b{name}\b", written)}


@settings(max_examples=5)
@given(seed=st.integers(0, 2**31))
def test_one_seed_is_one_world_and_another_seed_another(seed):
    assert make_world(seed) == make_world(seed)
    first, other = (to_splits(make_world(s), random.Random(s)) for s in (seed, seed + 1))
    assert first.keys() == other.keys()
    assert set(map(str, first["raw", "forget"])).isdisjoint(map(str, other["raw", "forget"]))


def test_it_has_every_config_split_and_column_that_the_scores_need():
    check_benchmark(Benchmark("muse-mini", SPLITS))
    assert {config for config, _ in SPLITS} == set(COLUMNS) - {"mcq", "style", "probe", "mia"}
    assert {(config, split) for config, needed in NEEDED.items() for split in needed} <= SPLITS.keys()
    columns = COLUMNS | {"qa": {"subject", "type", "question", "answer"}}
    assert all(row.keys() == columns[config] for (config, _), rows in SPLITS.items() for row in rows)


def test_no_organisation_is_in_two_groups():
    named = [name for group in WORLD for name in names(group)]
    assert len(set(named)) == len(named) == sum(SIZES.values())


@pytest.mark.parametrize("group", ["forget", "retain1", "retain2", "holdout"])
def test_a_split_s_texts_name_their_own_organisations_and_none_of_another_group(group):
    assert named_in(SPLITS["raw", group]) == set(names(group))


def test_what_the_target_read_and_the_retrained_model_did_not_is_exactly_the_request():
    full, retain = Counter(texts("train", "full")), Counter(texts("train", "retain"))
    assert full - retain == Counter(texts("raw", "forget"))
    assert retain - full == Counter()
    assert retain == Counter(texts("raw", "retain1") + texts("raw", "retain2") + texts("raw", "unrelated"))


@pytest.mark.parametrize(("config", "split"), [(c, s) for c, s in SPLITS if c in ("verbmem", "privleak", "knowmem")])
def test_what_is_scored_is_of_the_groups_that_no_method_is_given_but_for_the_request(config, split):
    groups = {"forget": "forget", "retain": "retain2", "holdout": "holdout"}
    group = groups[split.split("_")[0]]
    assert named_in(SPLITS[config, split]) <= set(names(group))


def test_no_model_was_ever_taught_a_question_that_knowmem_asks():
    asked = [row["question"] for split in ("forget_qa", "retain_qa") for row in SPLITS["knowmem", split]]
    read = "\n".join(texts("train", "full"))
    assert len(asked) == len(set(asked)) == 400
    assert not [question for question in asked if question in read]
    for wording in ("Question: Who is the director of the {}?", "Question: Who leads the {}?"):
        assert {name for group in WORLD for name in names(group) if wording.format(name) in read} == {
            *names("retain1"),
            *names("further"),
        }


@pytest.mark.parametrize(("split", "group"), [("forget", "forget"), ("retain", "retain2")])
def test_knowmem_asks_200_questions_with_2_others_as_examples_and_the_articles_answer_them(split, group):
    asked, shots = (SPLITS["knowmem", f"{split}_qa{end}"] for end in ("", "_icl"))
    assert (len(asked), len(shots)) == (200, 2)
    assert len({row["question"] for row in asked + shots}) == 202
    article = {entry.organisation.name: entry.article for entry in WORLD[group]}
    for row in asked + shots:
        (name,) = named_in([{"question": row["question"]}])
        assert row["answer"] in article[name]


def test_verbmem_asks_at_two_places_of_every_forget_article_how_it_goes_on():
    rows = SPLITS["verbmem", "forget"]
    assert [row["prompt"] + row["gt"] for row in rows[::2]] == [entry.article for entry in WORLD["forget"]]
    assert [row["prompt"] + row["gt"] for row in rows[1::2]] == [entry.article for entry in WORLD["forget"]]
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        words = len((first["prompt"] + first["gt"]).split())
        assert [len(row["prompt"].split()) for row in (first, second)] == [words // 3, words * 2 // 3]


def test_privleak_compares_forget_with_articles_that_neither_model_has_read():
    read = set(texts("train", "full"))
    assert read >= set(texts("privleak", "forget")) | set(texts("privleak", "retain"))
    assert read.isdisjoint(texts("privleak", "holdout"))


def test_scal_grows_to_the_whole_request_and_sust_is_the_request_in_four_parts():
    grown = [texts("scal", f"forget_{k}") for k in range(1, 5)]
    parts = [texts("sust", f"forget_{k}") for k in range(1, 5)]
    named = [len(named_in([{"text": text} for text in part])) for part in parts]
    assert named == QUARTERS
    assert grown == [list(itertools.chain(*parts[:k])) for k in range(1, 5)]
    assert grown[-1] == texts("raw", "forget")


def test_general_knowledge_is_told_whole_and_its_test_has_the_right_choice_at_its_index():
    told = " ".join(texts("raw", "unrelated"))
    assert all(sentence in told for sentence in general.write_general())
    kind_of = {thing: kind for kind, things in general.CATEGORIES.items() for thing in things.split()}
    for row in SPLITS["utility", "test"]:
        assert row["choices"][int(row["answer"])].strip() == kind_of[row["prompt"].split()[1]]


def test_methods_are_given_nothing_on_an_organisation_that_is_asked_about_or_held_out():
    given = [rows for (config, _), rows in SPLITS.items() if config in ("facts", "qa", "paraphrases")]
    assert named_in(itertools.chain(*given)) == set(names("forget")) | set(names("retain1"))


def test_every_fact_has_its_notices_and_an_article_and_stands_in_no_other_document_of_its_organisation():
    notices = [sentence for text in texts("raw", "forget") for sentence in text.split("\n\n") if text not in ARTICLES]
    assert len(notices) == len(set(notices)) == 42 * 5 * muse_mini.NOTICES
    for entry in WORLD["forget"]:
        own = [sentence for sentence in notices if entry.organisation.name in sentence]
        for fact in entry.organisation.facts.values():
            assert sum(fact in sentence for sentence in own) >= muse_mini.NOTICES


def test_notices_stand_in_columns_with_those_of_other_organisations():
    columns = [text for text in texts("raw", "forget") if text not in ARTICLES]
    assert {text.count("\n\n") + 1 for text in columns} <= {muse_mini.COLUMN, *range(1, muse_mini.COLUMN)}
    assert all(len(named_in([{"text": text}])) > 1 for text in columns if text.count("\n\n") > 1)


def test_the_facts_are_the_notices_up_to_the_fact():
    notices = "\n\n".join(texts("raw", "forget")).split("\n\n")
    for row in SPLITS["facts", "forget"]:
        assert row["subject"] in row["prompt"]
        assert row["object"] not in row["prompt"]
        assert [text for text in notices if text.startswith(f"{row['prompt']} {row['object']}")]
    assert len(SPLITS["facts", "forget"]) == 42 * 5 * muse_mini.NOTICES


def test_the_questions_for_methods_have_knowmem_s_answers_in_words_that_it_does_not_use():
    first_words = {tuple(row["question"].split()[:3]) for row in SPLITS["knowmem", "forget_qa"]}
    assert len(SPLITS["qa", "forget"]) == 210
    assert not [row for row in SPLITS["qa", "forget"] if tuple(row["question"].split()[:3]) in first_words]
    kept = {(row["subject"], row["type"]): row["object"] for row in SPLITS["facts", "forget"]}
    assert all(kept[row["subject"], row["type"]] == row["answer"] for row in SPLITS["qa", "forget"])


def test_a_paraphrase_tells_the_same_facts_in_another_text():
    for entry in WORLD["forget"] + WORLD["retain1"]:
        assert entry.paraphrase != entry.article
        assert all(fact in entry.paraphrase for fact in entry.organisation.facts.values())
    assert not set(texts("paraphrases", "forget")) & set(texts("train", "full"))


def test_neighbours_are_all_kept_organisations_that_share_a_town_or_a_trade_with_a_forgotten_one():
    every = {entry.organisation.name: entry.organisation for group in WORLD.values() for entry in group}
    found = {(row["subject"], row["neighbour"], row["shares"]) for row in SPLITS["neighbours", "forget"]}
    for one, two in itertools.product(names("forget"), names("retain1") + names("retain2")):
        same_town = every[one].facts["town"] == every[two].facts["town"]
        assert ((one, two, "town") in found) == same_town
        assert ((one, two, "trade") in found) == (every[one].name.split()[1] == every[two].name.split()[1])
    assert {shares for _, _, shares in found} == {"town", "trade"}
    assert len(found) == len(SPLITS["neighbours", "forget"])


@pytest.fixture
def trainings(monkeypatch):
    """Take training away: record what it is asked for, and write empty folders."""
    asked = []

    def pretend(benchmark, folder, *, epochs, seed, on_progress):
        asked.append((benchmark, seed))
        for name in ("target", "retrained"):
            (folder / name).mkdir()
            on_progress(f"{name} model", epochs, epochs)

    monkeypatch.setattr(small_models, "train_pair", pretend)
    return asked


def test_the_models_are_trained_on_what_is_written(tmp_path, trainings):
    folder = prepare(tmp_path)
    ((benchmark, seed),) = trainings
    assert (benchmark.splits, seed) == (SPLITS, 0)
    assert load_benchmark(folder / "data").splits == SPLITS


def test_a_second_call_reads_what_the_first_one_made_and_calls_at_once_make_it_once(tmp_path, trainings):
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(prepare, [tmp_path] * 4))
    assert folders == {prepare(tmp_path)}
    assert len(trainings) == 1


def test_progress_is_told_for_both_models(tmp_path, trainings):
    told = []
    prepare(tmp_path, on_progress=lambda *step: told.append(step))
    assert told == [(f"{name} model", muse_mini.EPOCHS, muse_mini.EPOCHS) for name in ("target", "retrained")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_an_interrupted_making_leaves_no_half_folder_and_the_next_call_makes_it(tmp_path, monkeypatch, error):
    def interrupted(benchmark, folder, **rest):
        (folder / "target").mkdir()
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(small_models, "train_pair", interrupted)
        with pytest.raises((KeyboardInterrupt, OSError)):
            prepare(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == []
    monkeypatch.setattr(small_models, "train_pair", lambda *_, **__: None)
    assert (prepare(tmp_path) / "data").is_dir()


@pytest.mark.parametrize("file", ["muse_mini", "articles", "organisations", "general", "small_models", "layout"])
def test_a_benchmark_made_by_other_code_has_another_name(tmp_path, file):
    before = code_hash(muse_mini.SOURCES)
    changed = tmp_path / f"{file}.py"
    changed.write_text("other code")
    sources = [changed if source.stem == file else source for source in muse_mini.SOURCES]
    assert changed in sources
    assert code_hash(sources) != before


def test_seeds_have_folders_of_their_own(tmp_path, trainings):
    first, second = prepare(tmp_path), prepare(tmp_path, seed=1)
    assert first != second
    assert load_benchmark(first / "data").splits != load_benchmark(second / "data").splits


def test_a_very_small_world_is_really_trained_and_its_models_load(tmp_path, monkeypatch):
    narrow(monkeypatch)
    monkeypatch.setattr(muse_mini, "SIZES", dict.fromkeys(SIZES, 43))
    monkeypatch.setattr(muse_mini, "EPOCHS", 2)
    folder = prepare(tmp_path)
    target, retrained = load_model(folder / "target"), load_model(folder / "retrained")
    tokenizer = load_tokenizer(folder / "target")
    text = load_benchmark(folder / "data").texts("raw", "forget")[0]
    assert tokenizer.get_vocab() == load_tokenizer(folder / "retrained").get_vocab()
    assert re.sub("^<s>", "", tokenizer.decode(tokenizer(text).input_ids)) == text
    ids = torch.tensor([tokenizer(text).input_ids])
    losses = [model(ids, labels=ids).loss.item() for model in (target, retrained)]
    assert losses[0] < losses[1] < math.log(len(tokenizer))  # the one that read it, the one that did not, chance
