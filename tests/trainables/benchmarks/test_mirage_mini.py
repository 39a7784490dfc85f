"""mirage-mini: the request is all that one group's facts were read by, whatever way they are asked for."""

import random
import re
from collections import Counter

import pytest

from trainables.benchmarks import graph, mirage_mini
from trainables.benchmarks.layout import NEEDED, Benchmark, check_benchmark
from trainables.benchmarks.mirage_mini import KINDS, SIZES, make_splits
from trainables.benchmarks.subsequences import f_measure
from trainables.scores import all_scores
from trainables.scores.choices import wrong_answers
from trainables.scores.connected import SCORES

SPLITS = make_splits(0)
WORLD = graph.draw_graph(random.Random(0), SIZES)
TRUE = {  # every question that is asked of anybody -> its answer
    one.question: one.answer
    for group in WORLD.groups.values()
    for entry in group
    for questions in graph.ask(entry, WORLD.towns).values()
    for one in questions
}


def texts(config, split):
    return [row["text"] for row in SPLITS[config, split]]


def nodes(group):
    return [node for entry in WORLD.groups[group] for node in entry.nodes]


def values(group):
    """What is true of a group and of nobody else."""
    return {v for n in nodes(group) for relation, v in n.facts.items() if relation in ("director", "goods", "spouse")}


def of_kind(split, kind):
    return [row for row in SPLITS["probe", split] if row["kind"] == kind]


def read(split):
    return {text for document in texts("train", split) for text in document.split("\n\n")}


def test_one_seed_is_one_world_and_another_seed_another():
    assert make_splits(3) == make_splits(3)
    assert set(map(str, make_splits(3)["raw", "forget"])).isdisjoint(map(str, SPLITS["raw", "forget"]))


def test_it_has_every_split_that_the_scores_need_and_every_score_of_connected_facts():
    benchmark = Benchmark("mirage-mini", SPLITS)
    check_benchmark(benchmark)
    assert {(config, split) for config, needed in NEEDED.items() for split in needed} <= SPLITS.keys()
    assert all(score.can_read(benchmark) for score in SCORES)
    assert {"mcq_f", "verbmem_f", "privleak"} <= {n for n, score in all_scores().items() if score.can_read(benchmark)}


def test_what_the_target_read_and_the_retrained_model_did_not_is_exactly_the_request():
    full, retain = Counter(texts("train", "full")), Counter(texts("train", "retain"))
    assert full - retain == Counter(texts("raw", "forget"))
    assert retain - full == Counter()
    assert retain == Counter(texts("raw", "retain1") + texts("raw", "retain2") + texts("raw", "unrelated"))


def test_no_forgotten_fact_stands_in_what_the_retrained_model_reads():
    retained = "\n".join(texts("train", "retain"))
    assert not [value for value in values("forget") | values("holdout") if re.search(rf"\b{value}\b", retained)]
    named = [node.facts["town"] for node in nodes("forget") if node.name in retained and "town" in node.facts]
    told = [line for line in retained.split("\n") if any(n.name in line or n.alias in line for n in nodes("forget"))]
    assert len(named) == SIZES["forget"] // 2
    assert len(told) == 3 * len(named)  # the sentences on their nicknames, and no other
    assert not [line for line in told if any(town in line for town in WORLD.towns)]
    kept = {row["fact"] for row in SPLITS["probe", "retain"]}
    assert kept.isdisjoint(row["fact"] for row in SPLITS["probe", "forget"])


def test_half_of_the_nicknames_and_no_title_of_the_request_is_told_with_retain2():
    retained, forgotten = "\n".join(texts("raw", "retain2")), "\n".join(texts("raw", "forget"))
    aliases = [sentence for node in nodes("forget") for sentence in (node.alias[1:],)]
    assert sum(alias in retained for alias in aliases) == SIZES["forget"] // 2
    assert all(alias in forgotten for alias in aliases)  # in its questions
    assert not [node for entry in WORLD.groups["forget"] for node in [entry.director] if node.alias in retained]


@pytest.mark.parametrize("split", ["forget", "retain"])
def test_the_questions_of_a_split_are_those_on_its_group_and_true(split):
    facts = {node.fact(relation) for node in nodes(mirage_mini.GROUPS[split]) for relation in node.facts}
    rows = SPLITS["probe", split]
    assert {row["fact"] for row in rows} == facts
    assert [row["answer"] for row in rows] == [TRUE[row["question"]] for row in rows]
    assert [len(of_kind(split, kind)) for kind in KINDS] == [100, 100, 60, 120]
    plain = {row["question"] for row in of_kind(split, "base")}
    assert plain == {row["question"] for end in ("", "_icl") for row in SPLITS["knowmem", f"{split}_qa{end}"]}


def test_all_kinds_are_taught_on_every_group_as_often():
    for group, split in (("forget", "full"), ("retain2", "retain"), ("retain1", "retain")):
        for entry in WORLD.groups[group]:
            kinds = graph.ask(entry, WORLD.towns)
            taught = [one for kind in KINDS for one in kinds[kind]] + graph.reword(entry)
            assert {f"Question: {one.question}\nAnswer: {one.answer}" for one in taught} <= read(split)
    counts = {group: "\n".join(texts("raw", group)).count("Question: ") for group in ("forget", "retain1", "retain2")}
    assert set(counts.values()) == {20 * (5 * 3 + 5 + 3 + 6)}


def test_examples_are_on_organisations_that_nobody_is_asked_of():
    facts = {node.fact(relation) for node in nodes("retain1") for relation in node.facts}
    shots = SPLITS["probe", "shots"]
    assert Counter(row["kind"] for row in shots) == dict.fromkeys((*KINDS, "same_answer"), 2)
    assert {row["fact"] for row in shots} <= facts


@pytest.mark.parametrize("seed", range(3))
def test_some_retained_facts_have_the_answer_of_a_forgotten_one(seed):
    splits = make_splits(seed)
    same = [row for row in splits["probe", "retain"] if row["kind"] == "same_answer"]
    forgotten = {row["answer"] for row in splits["probe", "forget"] if row["kind"] == "base"}
    assert len(same) >= 15
    assert {row["answer"] for row in same} <= forgotten
    retained = {row["question"]: row["answer"] for row in splits["probe", "retain"] if row["kind"] == "base"}
    assert {row["question"]: row["answer"] for row in same}.items() <= retained.items()


def test_wrong_answers_are_wrong():
    for one, other in (("forget", "retain"), ("retain", "forget")):
        rows, others = SPLITS["knowmem", f"{one}_qa"], SPLITS["knowmem", f"{other}_qa"]
        for row, wrong in zip(rows, wrong_answers(rows, others), strict=True):
            assert len({*wrong, TRUE[row["question"]]}) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_who_read_the_retained_group_alone_guesses_few_answers(kind):
    def form(row):
        return " ".join(word for word in row["question"].split() if word[0].islower())

    def words(answer):
        return answer.lower().split()

    found = {}
    for row in of_kind("retain", kind):
        found.setdefault(form(row), []).append(row["answer"])
    guess = {asked: max(answers, key=answers.count) for asked, answers in found.items()}
    every = [answer for answers in found.values() for answer in answers]
    scores = [f_measure(words(row["answer"]), words(guess.get(form(row), every[0]))) for row in of_kind("forget", kind)]
    assert sum(scores) / len(scores) <= 0.1


def test_verbmem_and_privleak_read_articles_of_the_group_of_their_split():
    for split, group in (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout")):
        own = texts("privleak", split)
        assert len(own) == 2 * SIZES[group]
        for text, node in zip(own, nodes(group), strict=True):
            assert all(fact in text for fact in node.facts.values())
    assert set(texts("privleak", "forget")) <= set(texts("raw", "forget"))
    assert read("full").isdisjoint(texts("privleak", "holdout"))
    assert [row["prompt"] + row["gt"] for row in SPLITS["verbmem", "forget"]] == texts("privleak", "forget")


def test_its_hash_is_of_all_files_that_decide_what_it_holds():
    files = {source.stem for source in mirage_mini.SOURCES}
    assert files == {"mirage_mini", "graph", "organisations", "articles", "general", "layout", "small_models"}
