"""An Evaluator gives all the scores a benchmark allows, each with its interval and its items."""

import numpy as np
import pytest
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores import all_scores, attacks, gaps
from trainables.scores.attacks import ATTACKS, read
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.reductions import WHOLE

MUSE = PROTOCOLS["muse"]
ANSWERED = {n for n, s in all_scores().items() if not s.relative and s.of(tiny_benchmark()).can_read(tiny_benchmark())}
LEAKS = {"privleak"} | {f"mia_{name}" for name in (*ATTACKS, "reference") if name != "min_40"}
GAPS = {score.name for score in gaps.SCORES if score.of(tiny_benchmark()).can_read(tiny_benchmark())}


def evaluator(retrained=None, benchmark=None, protocol=MUSE, **options):
    return Evaluator(benchmark or tiny_benchmark(), tiny_tokenizer(), protocol, retrained, **options)


@pytest.fixture(scope="module")
def reference():
    """What another model hands on: one of no AUC 0, as a retrained model is."""
    return evaluator().reference_of(tiny_model(5))


@pytest.fixture(scope="module")
def evaluation(reference):
    return evaluator(reference)(tiny_model())


def test_every_score_of_the_benchmark_is_there(evaluation):
    assert set(evaluation.scores) == ANSWERED | LEAKS | GAPS
    assert evaluation.protocol == "muse"


def test_every_value_lies_within_its_interval(evaluation):
    for score in evaluation.scores.values():
        assert np.isfinite([score.value, score.low, score.high]).all()
        assert score.low <= score.high
        assert score.n in (4, 8)


def test_a_score_is_the_mean_of_its_items(evaluation):
    items = evaluation.items
    assert list(items.columns) == ["score", "item", "prompt", "output", "truth", "value"]
    assert set(items.score) == ANSWERED | {"privleak"}
    for name in ANSWERED:
        rows = items[items.score == name]
        assert rows.item.tolist() == [0, 1, 2, 3]
        assert rows.value.mean() == pytest.approx(evaluation.scores[name].value)


def test_privleak_items_keep_their_text_split_and_attack_score(evaluation):
    rows = evaluation.items.query("score == 'privleak'")
    handed_on = evaluator().reference_of(tiny_model())["privleak"]
    assert rows.truth.tolist() == ["forget"] * 4 + ["holdout"] * 4
    assert rows.value.tolist() == [*handed_on["forget"], *handed_on["holdout"]]
    assert rows.prompt.tolist()[:4] == tiny_benchmark().texts("privleak", "forget")


def test_without_a_reference_privleak_is_absent_and_its_items_are_there(reference):
    evaluation = evaluator()(tiny_model())
    assert set(evaluation.scores) == ANSWERED
    assert set(evaluation.items.score) == ANSWERED | {"privleak"}
    assert set(reference) == LEAKS | GAPS


def test_the_retrained_model_has_privleak_and_gaps_zero_exactly(reference):
    scores = evaluator().with_reference(reference)(tiny_model(5)).scores
    for name in LEAKS | GAPS:
        assert (scores[name].value, scores[name].low, scores[name].high) == (0, 0, 0)


def test_an_attack_on_which_the_reference_has_auc_zero_is_left_out(reference):
    broken = {name: dict(scores) for name, scores in reference.items()}
    broken["mia_ppl"]["forget"] = broken["mia_ppl"]["holdout"].min() - np.ones(4)
    assert "mia_ppl" not in evaluator(broken)(tiny_model()).scores
    broken["privleak"]["forget"] = broken["privleak"]["holdout"].min() - np.ones(4)
    with pytest.raises(ValueError, match="AUC is 0"):
        evaluator(broken)(tiny_model())


def test_of_chosen_scores_the_others_cost_nothing_and_these_are_the_same_to_the_bit(reference, evaluation, monkeypatch):
    passes = []

    def counted(model, rows, *arguments, **options):
        passes.append(len(rows))
        return read(model, rows, *arguments, **options)

    monkeypatch.setattr(attacks, "read", counted)
    chosen = evaluator(reference).with_scores({"privleak", "verbmem_f"})(tiny_model())
    assert passes == [4, 4]  # texts of each split, and none of them in lower case
    assert chosen.scores == {name: evaluation.scores[name] for name in ("privleak", "verbmem_f")}
    assert set(chosen.items.score) == set(chosen.scores)


@pytest.mark.parametrize("config", ["verbmem", "knowmem", "privleak", "utility"])
def test_the_scores_of_an_absent_config_are_absent(config, reference):
    splits = {key: rows for key, rows in tiny_benchmark().splits.items() if key[0] != config}
    scores = evaluator(reference, Benchmark(name="part", splits=splits))(tiny_model()).scores
    gone = {name for name, score in all_scores().items() if config in dict(score.needs)}
    assert set(scores) == (ANSWERED | LEAKS | GAPS) - gone


def test_a_benchmark_with_nothing_to_score_gives_an_empty_evaluation():
    benchmark = Benchmark(name="raw", splits={("raw", "forget"): [{"text": "a"}]})
    evaluation = evaluator(benchmark=benchmark)(tiny_model())
    assert evaluation.scores == {}
    assert evaluator(benchmark=benchmark).reference_of(tiny_model()) == {}
    assert len(evaluation.items) == 0


def test_the_batch_size_changes_no_score_and_the_seed_only_intervals(reference, evaluation):
    small = evaluator(reference, batch_size=1)(tiny_model())
    other = evaluator(reference, seed=1)(tiny_model())
    for name, score in evaluation.scores.items():
        assert small.scores[name].value == pytest.approx(score.value, abs=1e-5)
        assert other.scores[name].value == score.value
    assert small.items.output.tolist() == evaluation.items.output.tolist()


def test_one_item_a_split_gives_wide_intervals_and_no_warning():
    above = {name: {"forget": np.ones(1), "holdout": np.zeros(1)} for name in LEAKS}  # AUC 1
    above |= {name: {WHOLE: np.full(1, 50.0)} for name in GAPS}
    for score in evaluator(above, tiny_benchmark(1))(tiny_model()).scores.values():
        if score.n < 4:  # utility has its own four items
            assert score.high - score.low > 80


def test_the_protocol_changes_the_scores_and_travels_with_them(reference, evaluation):
    other = evaluator(reference, protocol=PROTOCOLS["open-unlearning"])(tiny_model())
    assert other.protocol == "open-unlearning"
    leaks = [found.items.query("score == 'privleak'").value.tolist() for found in (other, evaluation)]
    assert leaks[0] != leaks[1]


def test_evaluating_leaves_the_model_as_it_was():
    model = tiny_model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    evaluator()(model)
    assert model.training
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
