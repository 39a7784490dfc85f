"""A gap is a score beside the retrained model's, item by item: 0 where a model is that one, whichever way it is off."""

import math

import numpy as np
import pytest
from tiny import asked_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores import answers, gaps, measured_scores, memorization, reductions, searched_scores
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS

NAMES = [score.name for score in gaps.SCORES]


def reading(values, retrained):
    samples, reference = ({reductions.WHOLE: np.array(v, float)} for v in (values, retrained))
    return reductions.reduce(reductions.DIFFERENCE, samples, reference)


def test_the_hand_number_and_its_mirror():
    below, above = reading([30, 50], [20, 80]), reading([20, 80], [30, 50])
    assert (below.value, above.value) == (-10, 10)
    assert -100 <= below.low < -10 < below.high <= 100
    assert (above.low, above.high) == pytest.approx((-below.high, -below.low), abs=2)


def test_items_are_paired_so_what_both_models_find_hard_widens_nothing():
    hard = np.linspace(0, 90, 50)
    paired, mixed = reading(hard + 5, hard), reading(hard + 5, hard[::-1])
    assert paired.value == pytest.approx(mixed.value) == pytest.approx(5)
    assert paired.high - paired.low < (mixed.high - mixed.low) / 2


def test_the_retrained_model_is_at_0_without_width_and_no_number_stays_none():
    found = reading([0, 30, 100], [0, 30, 100])
    assert (found.value, found.low, found.high, found.n) == (0, 0, 0, 3)
    assert math.isnan(reading([1, math.nan], [1, 2]).value)


def test_another_number_of_items_and_no_reference_are_refused():
    with pytest.raises(ValueError, match="model and retrained reference differ in items: 2 and 3"):
        reading([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="needs the items of a retrained model; there is no default"):
        reductions.reduce(reductions.DIFFERENCE, {reductions.WHOLE: np.ones(2)}, None)


def test_searches_measure_those_alone_that_are_asked_for():
    assert set(searched_scores()) - set(measured_scores()) == {*NAMES, "memo_f", "answer_prob_sum_f"}
    assert set(measured_scores(["mcq_f_gap", "utility"])) - set(measured_scores()) == {"mcq_f_gap"}
    likely = ("answer_prob_f", "answer_prob_sum_f", "leak_at_100_f", "mcq_f")
    known = ("extraction_strength_f", "exact_memorization_f")
    assert [f"{score}_gap" for score in (*likely, *known)] == NAMES


@pytest.fixture(scope="module")
def ready() -> Evaluator:
    own = Evaluator(asked_benchmark(4), tiny_tokenizer(), PROTOCOLS["muse"], None)
    return own.with_scores(["knowmem_f", *NAMES, *(name.removesuffix("_gap") for name in NAMES)])


def test_it_is_the_score_less_the_retrained_model_s_and_has_no_rows_of_its_own(ready):
    reference, beside_itself = ready.of_retrained(tiny_model(5))
    found = ready.with_reference(reference)(tiny_model())
    for name in NAMES:
        score = name.removesuffix("_gap")
        assert found.scores[name].value == pytest.approx(found.scores[score].value - beside_itself.scores[score].value)
        assert found.scores[name].n == found.scores[score].n
        assert (beside_itself.scores[name].value, beside_itself.scores[name].high) == (0, 0)
    assert not set(found.items.score) & set(NAMES)


def test_it_costs_no_pass_of_a_candidate_nor_of_the_retrained_model(ready, monkeypatch):
    passes = []
    for place, name in ((answers.Answers, "Answers"), (memorization.Recited, "Recited")):

        def noted(own, *given, call=place.__call__, name=name, **options):
            passes.append(name)
            return call(own, *given, **options)

        monkeypatch.setattr(place, "__call__", noted)
    reference, _ = ready.of_retrained(tiny_model(5))
    ready.with_reference(reference)(tiny_model())
    assert sorted(passes) == ["Answers", "Answers", "Recited", "Recited"]


def test_of_choices_that_a_benchmark_brings_it_reads_these():
    choices = {("mcq", "forget"): [{"question": "q", "choices": ["a", "b"], "answer": 0}]}
    brought = Benchmark(name="brought", splits=choices)
    (own,) = [score for score in gaps.SCORES if score.name == "mcq_f_gap"]
    read = own.of(brought)
    assert (read.needs, read.card) == ((("mcq", "forget"),), own.card)
