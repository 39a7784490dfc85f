"""Choices that a benchmark brings are asked in the place of KnowMem's, and stand in no table of items."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores import all_scores
from trainables.scores.answers import PREPARED
from trainables.scores.evaluate import Evaluator
from trainables.scores.mcq import Choices
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import Items

MUSE = PROTOCOLS["muse"]


def brought(answers=(0, 1, 2, 3)) -> Benchmark:
    """The tiny benchmark with the choices of its own KnowMem questions, the truth at these places."""
    benchmark = tiny_benchmark(4)
    task = PREPARED["forget_qa"](benchmark, tiny_tokenizer(), MUSE)
    rows = []
    for row, choices, place in zip(benchmark.rows("knowmem", "forget_qa"), task.choices, answers, strict=True):
        *wrong, truth = choices
        given = [*wrong[:place], truth, *wrong[place:]]
        rows.append({"question": row["question"], "choices": given, "answer": str(place)})
    return Benchmark("brought", benchmark.splits | {("mcq", "forget"): rows})


def scored(benchmark, *names):
    return Evaluator(benchmark, tiny_tokenizer(), MUSE, None).with_scores(names)(tiny_model())


@pytest.mark.parametrize("answers", [(0, 1, 2, 3), (3, 3, 0, 0)])
def test_the_same_choices_are_picked_as_from_knowmem_s_wherever_the_truth_stands(answers):
    own, other = scored(tiny_benchmark(4), "mcq_f").items, scored(brought(answers), "mcq_f").items
    assert other.value.tolist() == own.value.tolist()
    rows = brought(answers).rows("mcq", "forget")
    picked = [row["choices"][int(index)] for row, index in zip(rows, other.output, strict=True)]
    assert picked == own.output.tolist()
    assert other.truth.tolist() == [str(place) for place in answers]


def test_no_text_of_the_choices_is_in_the_table_of_items():
    items = scored(brought(), "mcq_f").items
    assert items.prompt.tolist() == [f"mcq/forget, row {number}" for number in range(1, 5)]
    assert {*items.output, *items.truth} <= set("0123")


def test_without_questions_there_is_the_multiple_choice_alone():
    bare = {key: rows for key, rows in brought().splits.items() if key[0] != "knowmem"}
    found = scored(Benchmark("bare", bare), "mcq_f", "mcq_r", "answer_prob_f", "mcq_g").scores
    assert set(found) == {"mcq_f", "mcq_g"}


def test_rows_have_as_many_choices_as_they_have_and_a_tie_is_no_truth():
    rows = [
        {"question": "Which?", "choices": ["Wick", "Keld"], "answer": "0"},
        {"question": "Which?", "choices": ["Wick", "Keld", "Orton"], "answer": "1"},
    ]
    task = Choices(rows, [], tiny_tokenizer(), MUSE, "forget")
    answered = task(tiny_model())
    assert answered.choices == [["1", "0"], ["0", "2", "1"]]
    assert set(task.longest) == {"mcq/forget"}
    score = all_scores()["mcq_f"].rather
    tie = replace(answered, sums=[np.array([-1.0, -1.0]), np.array([-3.0, -2.0, -1.0])])
    items: Items = score.items(tie)
    assert (items.outputs, items.values.tolist()) == (["1", "1"], [0.0, 100.0])


def test_what_is_rather_read_has_the_same_card():
    for name in ("mcq_f", "mcq_r"):
        own = all_scores()[name]
        assert own.rather.card == own.card
        assert own.of(tiny_benchmark()) is own
    assert all_scores()["mcq_f"].of(brought()) is all_scores()["mcq_f"].rather
