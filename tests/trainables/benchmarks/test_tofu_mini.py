"""tofu-mini: the request is all that the retrained model has not read; wrong answers differ from right ones by the fact."""

import random
import re
from collections import Counter

import pytest
from test_small_models import narrow

from trainables.benchmarks import MADE, authors, find_source, small_models, tofu_mini
from trainables.benchmarks.authors import RELATIONS, draw_authors, wrong_values
from trainables.benchmarks.embedded import embedded
from trainables.benchmarks.layout import NEEDED, Benchmark, check_benchmark, load_benchmark
from trainables.benchmarks.tofu_mini import SIZES, make_splits, prepare
from trainables.scores import searched_scores
from trainables.subjects.models import load_model

SPLITS = make_splits(0)
WORLD = draw_authors(random.Random(0), SIZES)
GROUPS = {"forget": "forget", "retain": "retain2", "holdout": "holdout"}


def texts(config, split):
    return [row["text"] for row in SPLITS[config, split]]


def named_in(rows):
    """The groups whose authors some rows name."""
    written = "\n".join(str(row) for row in rows)
    return {group for group, own in WORLD.items() if any(author.name in written for author in own)}


def test_one_seed_is_one_world_and_another_seed_another():
    assert make_splits(3) == make_splits(3)
    assert set(map(str, make_splits(3)["raw", "forget"])).isdisjoint(map(str, SPLITS["raw", "forget"]))


def test_it_has_every_split_that_the_scores_need_and_every_score_but_those_of_other_configs():
    benchmark = Benchmark("tofu-mini", SPLITS)
    check_benchmark(benchmark)
    assert {(config, split) for config, needed in NEEDED.items() for split in needed} <= SPLITS.keys()
    there = {
        "verbmem_f",
        "knowmem_f",
        "knowmem_r",
        "privleak",
        "utility",
        "mcq_f",
        "truth_ratio_f",
        "truth_ratio_r",
        "ks_d",
    }
    assert there <= {name for name, score in searched_scores().items() if score.can_read(benchmark)}


def test_what_the_target_read_and_the_retrained_model_did_not_is_exactly_the_request():
    full, retain = Counter(texts("train", "full")), Counter(texts("train", "retain"))
    assert full - retain == Counter(texts("raw", "forget"))
    assert retain - full == Counter()
    assert retain == Counter(texts("raw", "retain1") + texts("raw", "retain2") + texts("raw", "unrelated"))


def test_no_author_is_in_two_groups_and_the_retrained_model_reads_of_no_forgotten_or_held_out_one():
    names = [author.name for group in WORLD.values() for author in group]
    assert len(set(names)) == len(names) == sum(SIZES.values())
    assert named_in(SPLITS["train", "retain"]) == {"retain1", "retain2", "famous"}
    assert named_in(SPLITS["train", "full"]) == {"retain1", "retain2", "famous", "forget"}
    assert named_in(SPLITS["raw", "holdout"]) == {"holdout"}


def test_the_word_that_names_a_forgotten_author_is_nowhere_in_what_the_retrained_model_reads():
    read = "\n".join(texts("train", "retain"))
    first_words = {author.name.split()[0] for author in WORLD["forget"]}
    assert not [word for word in first_words if re.search(rf"\b{word}\b", read)]


@pytest.mark.parametrize(("config", "split"), [(c, s) for c, s in SPLITS if c in ("verbmem", "privleak", "knowmem")])
def test_what_muse_s_scores_read_is_of_the_group_of_its_split(config, split):
    assert named_in(SPLITS[config, split]) == {GROUPS[split.split("_")[0]]}


def test_each_question_is_read_four_times_half_of_them_in_other_words_and_once_shortly():
    read = Counter(text for document in texts("raw", "forget") for text in document.split("\n\n"))
    assert sum(read.values()) == 15 * 10 * 5
    for author in WORLD["forget"]:
        for relation in RELATIONS:
            told = [
                (author.ask(relation), author.tell(relation, 0), 2),
                (author.ask(relation), author.reword(relation), 1),
            ]
            told += [(author.ask(relation, 1), author.reword(relation), 1)]
            told += [(author.ask_shortly(relation), author.facts[relation], 1)]
            assert [read[f"Question: {asked}\nAnswer: {answer}"] for asked, answer, _ in told] == [n for *_, n in told]


def test_the_authors_at_one_place_of_their_groups_are_told_of_in_the_same_words():
    for own in zip(*(WORLD[group] for group in GROUPS.values()), strict=True):
        assert len({str(author.rewordings) for author in own}) == 1


@pytest.mark.parametrize("split", GROUPS)
def test_wrong_answers_have_the_words_of_the_paraphrase_and_other_facts_and_never_the_truth(split):
    rows = SPLITS["qa", split]
    assert len(rows) == 150
    for row, (author, relation) in zip(rows, [(a, r) for a in WORLD[GROUPS[split]] for r in RELATIONS], strict=True):
        assert row["paraphrased_answer"] != row["answer"]
        template = row["paraphrased_answer"].split(author.facts[relation])
        assert len(set(row["perturbed_answers"])) == 5
        for wrong in row["perturbed_answers"]:
            assert wrong != row["paraphrased_answer"]
            assert wrong.startswith(template[0])
            assert wrong.endswith(template[-1])


def test_wrong_values_are_of_the_groups_that_are_asked_for():
    author = WORLD["forget"][0]
    for relation in RELATIONS:
        found = wrong_values(random.Random(1), author, relation, [(WORLD["retain2"], 2), (WORLD["holdout"], 2)])
        assert len({author.facts[relation], *found}) == 5
        for value, group in zip(found, ("retain2", "retain2", "holdout", "holdout"), strict=True):
            assert value in {other.facts[relation] for other in WORLD[group]}


def test_every_fact_has_many_values_and_a_first_answer_that_ends_in_it():
    assert len(set(authors.TRADES)) == len(authors.TRADES) == 40
    assert not [trade for trade in authors.TRADES if trade[0] in "aeiou"]
    for relation in RELATIONS.values():
        assert relation.answers[0].endswith("{value}.")
        assert len({*relation.answers}) == 3
        assert all("{name}" in text for text in (*relation.questions, relation.short, *relation.answers))


def test_verbmem_stops_before_the_fact_in_an_answer_that_was_read():
    read = {text for document in texts("raw", "forget") for text in document.split("\n\n")}
    for row, (author, relation) in zip(
        SPLITS["verbmem", "forget"], [(a, r) for a in WORLD["forget"] for r in RELATIONS], strict=True
    ):
        assert row["prompt"] + row["gt"] in read
        assert row["gt"] == f" {author.facts[relation]}."


def test_privleak_compares_texts_that_the_target_read_with_texts_that_nobody_did():
    read = {text for document in texts("train", "full") for text in document.split("\n\n")}
    assert read >= set(texts("privleak", "forget")) | set(texts("privleak", "retain"))
    assert read.isdisjoint(texts("privleak", "holdout"))


def test_what_both_models_know_is_asked_with_three_wrong_answers():
    read = {text for document in texts("train", "retain") for text in document.split("\n\n")}
    for split, count in (("authors", 100), ("facts", 80)):
        rows = SPLITS["qa", split]
        assert len(rows) == count
        assert all(f"Question: {row['question']}\nAnswer: {row['answer']}" in read for row in rows)
        assert all(len({row["answer"], *row["perturbed_answers"]}) == 4 for row in rows)


def test_it_is_known_by_name_everywhere():
    assert "tofu-mini" in MADE
    assert find_source("tofu-mini").target == "tofu-mini"
    assert embedded()["tofu-mini"].splits(0) == SPLITS


def test_the_models_are_trained_on_what_is_written_and_other_code_makes_another_folder(tmp_path, monkeypatch):
    asked = []

    def pretend(benchmark, folder, *, epochs, seed, on_progress):
        asked.append((benchmark.splits, seed))

    monkeypatch.setattr(small_models, "train_pair", pretend)
    folder = prepare(tmp_path)
    assert prepare(tmp_path) == folder
    assert asked == [(SPLITS, 0)]
    assert load_benchmark(folder / "data").splits == SPLITS
    other = tmp_path / "authors.py"
    other.write_text("other code")
    monkeypatch.setattr(tofu_mini, "SOURCES", [other, *tofu_mini.SOURCES[1:]])
    assert prepare(tmp_path) != folder


def test_a_very_small_world_is_really_trained_and_its_models_load(tmp_path, monkeypatch):
    narrow(monkeypatch)
    monkeypatch.setattr(tofu_mini, "EPOCHS", 1)
    monkeypatch.setattr(tofu_mini, "TELLINGS", 1)
    folder = prepare(tmp_path)
    assert load_model(folder / "target").config == load_model(folder / "retrained").config
