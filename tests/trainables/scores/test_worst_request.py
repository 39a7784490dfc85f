"""The worst request: the largest of the means over requests, of the very items that VerbMem and KnowMem have."""

import numpy as np
import pytest
from tiny import asked_benchmark, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores import all_scores
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.reductions import LARGEST, reduce
from trainables.scores.worst_request import SAMPLES

NAMES = {"verbmem_f": "verbmem_worst_f", "knowmem_f": "knowmem_worst_f"}


def of(*samples):
    return reduce(LARGEST, {name: np.array(own, float) for name, own in zip(SAMPLES, samples, strict=False)}, None)


def test_it_is_the_largest_mean_by_hand():
    found = of([0, 40], [50, 10, 30, 50], [0, 0])
    assert (found.value, found.n) == (35, 8)
    assert found.low < 35 < found.high
    assert of([20.0] * 10).value == 20


def test_a_request_with_few_items_makes_the_interval_wide_and_nothing_left_is_not_never():
    few, many = of([0.0] * 5, [0.0] * 5), of([0.0] * 50, [0.0] * 50)
    assert (few.value, few.low, many.low) == (0, 0, 0)
    assert few.high > many.high > 0


def test_a_value_that_is_no_number_makes_none():
    assert np.isnan(of([0.0], [np.nan]).value)


def test_its_items_are_those_of_its_score_told_apart_by_request():
    names = {*NAMES, *NAMES.values()}
    found = Evaluator(asked_benchmark(4), tiny_tokenizer(), PROTOCOLS["muse"], None).with_scores(names)(tiny_model())
    for plain, name in NAMES.items():
        own, items = (found.items[found.items.score == score].reset_index() for score in (name, plain))
        assert own["truth"].tolist() == list(SAMPLES)  # article and question i are of request i
        assert own[["prompt", "output", "value"]].equals(items[["prompt", "output", "value"]])
        assert found.scores[name].value == pytest.approx(items["value"].max())


@pytest.mark.parametrize(("name", "split"), [("verbmem_worst_f", "forget"), ("knowmem_worst_f", "forget_qa")])
def test_it_is_absent_where_requests_do_not_follow_one_another_or_one_has_no_item(name, split):
    score, whole = all_scores()[name], asked_benchmark(4)
    key = (name.partition("_")[0], split)
    assert score.can_read(whole)
    assert not score.can_read(tiny_benchmark(4))
    assert not score.can_read(Benchmark("tiny", {**whole.splits, key: whole.splits[key][:3]}))
