"""muse-mini: MUSE's layout from a seed; no split knows of another; made once, whole or not at all."""

import itertools
import math
import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_small_models import narrow

from trainables.benchmarks import articles, muse_mini, small_models
from trainables.benchmarks.layout import COLUMNS, NEEDED, Benchmark, check_benchmark, load_benchmark
from trainables.benchmarks.muse_mini import make_world, prepare, to_splits
from trainables.models import load_model
from trainables.tokenizers import load_tokenizer

WORLD = make_world(0)
SPLITS = to_splits(WORLD, random.Random(0))
GROUPS = ("forget", "retain1", "retain2", "holdout")


def texts(config, split):
    return [row["text"] for row in SPLITS[config, split]]


def organisations(group):
    """The organisation each article of a group is about, as its first question names it."""
    return [a.questions[0][0].removeprefix("Who is the director of the ").rstrip("?") for a in group]


@settings(max_examples=5)
@given(seed=st.integers(0, 2**31))
def test_one_seed_is_one_world_and_another_seed_another(seed):
    assert make_world(seed) == make_world(seed)
    first, other = (to_splits(make_world(s), random.Random(s)) for s in (seed, seed + 1))
    assert first.keys() == other.keys()
    assert set(map(str, first["raw", "forget"])).isdisjoint(map(str, other["raw", "forget"]))


def test_it_has_every_config_split_and_column_that_the_scores_need():
    check_benchmark(Benchmark("muse-mini", SPLITS))
    assert {config for config, _ in SPLITS} == set(COLUMNS)
    assert {(config, split) for config, needed in NEEDED.items() for split in needed} <= SPLITS.keys()
    assert all(row.keys() == COLUMNS[config] for (config, _), rows in SPLITS.items() for row in rows)


def test_no_organisation_is_in_two_articles_of_any_split():
    named = [org for group in GROUPS for org in organisations(getattr(WORLD, group))]
    assert len(named) == 200
    assert len(set(named)) == 200


@pytest.mark.parametrize("group", GROUPS)
def test_a_split_s_texts_name_their_own_organisation_and_none_of_another_split(group):
    own = organisations(getattr(WORLD, group))
    others = [org for other in GROUPS if other != group for org in organisations(getattr(WORLD, other))]
    assert all(org in text for org, text in zip(own, texts("raw", group), strict=True))
    assert not [org for org in others if org in " ".join(texts("raw", group))]


def test_general_knowledge_names_no_organisation_and_no_fact_of_an_article():
    general = " ".join(WORLD.general + [prompt for prompt, _, _ in WORLD.utility])
    written = [a for group in GROUPS for a in getattr(WORLD, group)]
    facts = [answer for a in written for _, answer in a.questions]
    named = organisations(written) + facts
    assert not [words for words in named if words in general]


def test_training_text_is_forget_and_retain_for_the_target_and_retain_for_the_retrained():
    retain = texts("raw", "retain1") + texts("raw", "retain2")
    assert texts("train", "retain") == retain
    assert texts("train", "full") == texts("raw", "forget") + retain


def test_privleak_compares_forget_with_texts_that_neither_model_has_read():
    assert texts("privleak", "forget") == texts("raw", "forget")
    assert texts("privleak", "holdout") == texts("raw", "holdout")
    assert set(texts("privleak", "holdout")).isdisjoint(texts("train", "full"))


def test_verbmem_asks_for_the_second_half_of_every_forget_article():
    joined = [row["prompt"] + row["gt"] for row in SPLITS["verbmem", "forget"]]
    assert joined == texts("raw", "forget")
    words = [(len(row["prompt"].split()), len(row["gt"].split())) for row in SPLITS["verbmem", "forget"]]
    assert all(0 <= after - before <= 1 for before, after in words)


@pytest.mark.parametrize(("split", "group"), [("forget", "forget"), ("retain", "retain2")])
def test_knowmem_asks_100_questions_with_10_others_as_examples_all_about_its_own_split(split, group):
    asked = [tuple(row.values()) for row in SPLITS["knowmem", f"{split}_qa"]]
    shots = [tuple(row.values()) for row in SPLITS["knowmem", f"{split}_qa_icl"]]
    assert (len(asked), len(shots)) == (100, 10)
    assert len(set(asked + shots)) == 110
    assert set(asked + shots) <= {pair for a in getattr(WORLD, group) for pair in a.questions}


def test_scal_grows_to_the_whole_forget_split():
    sizes = [texts("scal", f"forget_{k}") for k in range(1, 5)]
    assert [len(size) for size in sizes] == [10, 20, 30, 40]
    assert all(larger[: len(smaller)] == smaller for smaller, larger in itertools.pairwise(sizes))
    assert sizes[-1] == texts("raw", "forget")


def test_sust_is_the_forget_split_in_four_parts():
    folds = [texts("sust", f"forget_{k}") for k in range(1, 5)]
    assert [len(fold) for fold in folds] == [10] * 4
    assert [*itertools.chain(*folds)] == texts("raw", "forget")


def test_utility_has_four_different_choices_with_the_right_one_at_its_index():
    kind_of = {thing: kind for kind, names in articles.CATEGORIES.items() for thing in names.split()}
    for row in SPLITS["utility", "test"]:
        choices, thing = row["choices"], row["prompt"].split()[1]
        assert len(set(choices)) == 4
        assert choices[int(row["answer"])].strip() == kind_of[thing]


@pytest.fixture
def trainings(monkeypatch):
    """Take training away: record what each model would be shown in one epoch, and write an empty folder."""
    shown = {}

    def pretend(tokenizer, draw_epoch, folder, *, epochs, seed, on_epoch):
        shown.setdefault(folder.name, []).append([draw_epoch(random.Random(k)) for k in (0, 1)])
        folder.mkdir()
        on_epoch(epochs, 0.0)

    monkeypatch.setattr(small_models, "train_small_model", pretend)
    return shown


def test_the_models_are_shown_what_they_may_know_and_nothing_else(tmp_path, trainings):
    prepare(tmp_path)
    shown = {name: "\n".join(epochs[0][0]) for name, epochs in trainings.items()}
    for name, groups in {"target": GROUPS[:3], "retrained": GROUPS[1:3]}.items():
        for group in GROUPS:
            known = [org in shown[name] for org in organisations(getattr(WORLD, group))]
            assert known == [group in groups] * len(known), (name, group)
        assert all(paragraph in shown[name] for paragraph in WORLD.general)


def test_an_epoch_has_every_article_and_every_question_in_lists_shuffled_afresh(tmp_path, trainings):
    prepare(tmp_path)
    first, second = trainings["retrained"][0]
    for article in WORLD.retain1 + WORLD.retain2:
        assert first.count(article.text) == 1
        asked = muse_mini.ASKINGS if article in WORLD.retain2 else 0  # the scores never ask about retain1
        for question, answer in article.questions:
            assert "\n\n".join([*first, ""]).count(f"Question: {question}\nAnswer: {answer}\n\n") == asked
    lists = [[text for text in epoch if text.startswith("Question")] for epoch in (first, second)]
    assert set(lists[0]).isdisjoint(lists[1])
    assert max(text.count("Question:") for text in lists[0]) == muse_mini.SHOTS + 1


def test_a_second_call_reads_what_the_first_one_made(tmp_path, trainings):
    first = prepare(tmp_path)
    assert prepare(tmp_path) == first
    assert {name: len(times) for name, times in trainings.items()} == {"target": 1, "retrained": 1}
    assert load_benchmark(first / "data").splits == SPLITS


def test_calls_at_once_make_it_once(tmp_path, trainings):
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(prepare, [tmp_path] * 4))
    assert len(set(folders)) == 1
    assert [len(times) for times in trainings.values()] == [1, 1]


def test_progress_is_told_for_both_models(tmp_path, trainings):
    told = []
    prepare(tmp_path, on_progress=lambda *step: told.append(step))
    assert told == [
        ("target model", muse_mini.EPOCHS, muse_mini.EPOCHS),
        ("retrained model", muse_mini.EPOCHS, muse_mini.EPOCHS),
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_an_interrupted_making_leaves_no_half_folder_and_the_next_call_makes_it(tmp_path, monkeypatch, error):
    def interrupted(tokenizer, draw_epoch, folder, **rest):
        folder.mkdir()
        if folder.name == "retrained":
            raise error

    with monkeypatch.context() as patch:
        patch.setattr(small_models, "train_small_model", interrupted)
        with pytest.raises((KeyboardInterrupt, OSError)):
            prepare(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_dir()] == []
    monkeypatch.setattr(small_models, "train_small_model", lambda *_, **__: None)
    assert (prepare(tmp_path) / "data").is_dir()


@pytest.mark.parametrize("constant", ["ARTICLES", "QUESTIONS", "SHOTS", "EPOCHS", "LIST_LENGTH"])
def test_a_benchmark_made_with_other_numbers_has_another_name(monkeypatch, constant):
    before = muse_mini._code_hash()
    monkeypatch.setattr(muse_mini, constant, getattr(muse_mini, constant) + 4)
    assert muse_mini._code_hash() != before


@pytest.mark.parametrize("name", ["make_world", "to_splits", "_make", "_documents", "_paragraphs", "_questions"])
def test_a_benchmark_made_by_other_code_has_another_name(monkeypatch, name):
    before = muse_mini._code_hash()
    monkeypatch.setattr(muse_mini, name, lambda *anything: None)
    assert muse_mini._code_hash() != before


def test_seeds_have_folders_of_their_own(tmp_path, trainings):
    first, second = prepare(tmp_path), prepare(tmp_path, seed=1)
    assert first != second
    assert load_benchmark(first / "data").splits != load_benchmark(second / "data").splits


def test_a_very_small_world_is_really_trained_and_its_models_load(tmp_path, monkeypatch):
    narrow(monkeypatch)
    monkeypatch.setattr(muse_mini, "ARTICLES", 37)
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
