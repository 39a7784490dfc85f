"""Facts on other ways: each kind is asked as KnowMem asks, and one way that is left open is seen."""

import numpy as np
import pytest
from tiny import asked_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores.connected import SCORES, Reached, best_of_each_fact
from trainables.scores.knowmem import KnowMem
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import Items

MUSE = PROTOCOLS["muse"]
OWN = {score.name: score for score in SCORES}
KINDS = {
    **{
        f"{kind}_{split[0]}": (split, kind)
        for kind in ("alias", "reverse", "multi_hop")
        for split in ("forget", "retain")
    },
    "same_answer_r": ("retain", "same_answer"),
}
# A graph in small: the mill is led by Ada, and Ada lives in Wick: the mill stands in Wick, and so does the kept fair.
TABLE = {
    ("base", "town of mill"): ("In which town is the mill?", "Wick"),
    ("alias", "town of mill"): ("In which town is the old house?", "Wick"),
    ("reverse", "head of mill"): ("What does Ada run?", "mill"),
    ("base", "head of mill"): ("Who runs the mill?", "Ada"),
    ("multi_hop", "town of mill"): ("In which town is what Ada runs?", "Wick"),
    ("same_answer", "town of fair"): ("In which town is the fair?", "Wick"),
}


def answered(knows) -> tuple[Reached, float]:
    """What an oracle that answers some of the questions, and is silent else, gives: all that is reached, what is kept."""
    items: dict[str, Items] = {}
    facts: dict[str, list[str]] = {}
    for kind in dict.fromkeys(kind for kind, _ in TABLE):
        own = [(fact, *asked) for (other, fact), asked in TABLE.items() if other == kind]
        outputs = [answer if knows(question) else "" for _, question, answer in own]
        values = np.array([100.0 if output else 0.0 for output in outputs])
        items[kind] = Items([question for _, question, _ in own], outputs, [answer for *_, answer in own], values)
        facts[kind] = [fact for fact, *_ in own]
    kept = items.pop("same_answer").values.mean()
    return Reached(items, facts), kept


def test_who_lost_the_facts_reaches_none_and_keeps_the_retained_one():
    reached, kept = answered(lambda question: "fair" in question)
    assert best_of_each_fact(reached).values.tolist() == [0, 0]
    assert kept == 100


def test_who_only_balks_at_the_name_reaches_all_by_other_ways():
    reached, kept = answered(lambda question: "mill" not in question)
    best = best_of_each_fact(reached)
    assert reached.items["base"].values.tolist() == [0, 0]
    assert reached.items["multi_hop"].values.tolist() == [100]
    assert best.values.tolist() == [100, 100]
    assert best.outputs == ["Wick", "mill"]  # the town by its alias, the head backwards
    assert best.prompts == ["In which town is the mill?", "Who runs the mill?"]
    assert kept == 100


def test_who_forgot_too_much_lost_the_retained_fact_with_the_answer():
    _, kept = answered(lambda question: False)
    assert kept == 0


def test_the_best_of_equal_answers_is_the_plain_one():
    reached, _ = answered(lambda question: True)
    assert best_of_each_fact(reached).outputs == ["Wick", "Ada"]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_asked_as_knowmem_asks_behind_the_examples_of_its_kind(name):
    split, kind = KINDS[name]
    benchmark, score = asked_benchmark(4), OWN[name]
    rows, shots = ([row for row in benchmark.rows("probe", own) if row["kind"] == kind] for own in (split, "shots"))
    want = KnowMem(rows, shots, tiny_tokenizer(), MUSE)(tiny_model())
    found = score.items(score.prepare(benchmark, tiny_tokenizer(), MUSE)(tiny_model()))
    assert (found.prompts, found.outputs, found.truths) == (want.prompts, want.outputs, want.truths)
    assert found.values.tolist() == want.values.tolist()
    assert all(prompt.count("Question: ") == 2 for prompt in found.prompts)


def test_without_examples_the_question_stands_alone():
    benchmark = asked_benchmark()
    del benchmark.splits["probe", "shots"]
    score = OWN["alias_f"]
    found = score.items(score.prepare(benchmark, tiny_tokenizer(), MUSE)(tiny_model()))
    assert all(prompt.startswith("Question: ") and prompt.count("Question: ") == 1 for prompt in found.prompts)


@pytest.mark.parametrize("name", KINDS)
def test_without_questions_of_its_kind_a_score_is_absent_for_that_reason_and_the_others_are_not(name):
    split, kind = KINDS[name]
    benchmark = asked_benchmark()
    rows = [row for row in benchmark.rows("probe", split) if row["kind"] != kind]
    without = Benchmark("b", benchmark.splits | {("probe", split): rows})
    assert OWN[name].unfit(without) == f"has no questions of kind {kind} in probe/{split}"
    assert [other for other, score in OWN.items() if not score.can_read(without)] == [name]
    measured = OWN[name].prepare(without, tiny_tokenizer(), MUSE)(tiny_model())
    others = [score for other, score in OWN.items() if score.needs == OWN[name].needs and other != name]
    assert {len(score.items(measured).values) for score in others} == {4}


def test_all_ways_need_to_be_told_which_fact_a_question_asks_for():
    benchmark = asked_benchmark()
    rows = [{name: value for name, value in row.items() if name != "fact"} for row in benchmark.rows("probe", "forget")]
    without = Benchmark("b", benchmark.splits | {("probe", "forget"): rows})
    assert OWN["forget_reach"].unfit(without) == "has no column 'fact' in probe/forget"
    assert OWN["alias_f"].can_read(without)


def test_what_is_forgotten_is_to_fall_and_what_is_retained_to_rise():
    assert {name: score.card.goal for name, score in OWN.items()} == {
        name: "minimize" if name.endswith("_f") or name == "forget_reach" else "maximize" for name in OWN
    }
