"""Truth ratios and the distance of their distributions: hand numbers of the spec, and a slow plain loop beside them."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from tiny import asked_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import DECODE, Passes
from trainables.scores import all_scores
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.questions import FORGET, PREPARED, prepare
from trainables.scores.reductions import KS_D, KS_P, WHOLE, reduce
from trainables.scores.truth_ratio import arithmetic, closeness, geometric, preference

MUSE = PROTOCOLS["muse"]
NAMES = ("truth_ratio_f", "truth_ratio_paper_f", "truth_ratio_r", "ks_d", "forget_quality")


def test_the_hand_numbers():
    wrong = np.array([-1.0, -2.0])
    assert geometric(-0.5, wrong) == pytest.approx(0.36788, abs=1e-5)
    assert arithmetic(-0.5, wrong) == pytest.approx(0.41483, abs=1e-5)
    ratio = np.array([0.36788])
    assert closeness(ratio) == pytest.approx([0.36788])
    assert closeness(1 / ratio) == pytest.approx([0.36788])
    assert preference(ratio) == pytest.approx([0.63212])
    assert preference(1 / ratio) == [0]


def test_a_broken_model_s_ratios_are_still_numbers():
    found = np.array([geometric(-1e4, np.array([-1.0])), arithmetic(-1.0, np.array([-1e4, -2e4]))])
    assert np.isfinite(found).all()
    assert closeness(found) == pytest.approx([0, 0])


def read(kind, own, retrained):
    return reduce(kind, {WHOLE: np.array(own, dtype=float)}, {WHOLE: np.array(retrained, dtype=float)})


@pytest.mark.parametrize(("other", "d", "p"), [((3, 4, 5, 6), 0.5, 0.7714), ((5, 6, 7, 8), 1, 0.02857)])
def test_the_hand_numbers_of_kolmogorov_and_smirnov(other, d, p):
    assert read(KS_D, (1, 2, 3, 4), other).value == pytest.approx(100 * d)
    assert read(KS_P, (1, 2, 3, 4), other).value == pytest.approx(100 * p, abs=0.005)


def test_a_model_with_the_retrained_model_s_very_ratios_has_no_distance():
    found = read(KS_D, (1, 2, 2, 4), (1, 2, 2, 4))
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert read(KS_P, (1, 2, 2, 4), (1, 2, 2, 4)).value == 100


def test_the_distance_does_not_hang_on_the_scale_of_ratios_and_is_scipy_s():
    rng = np.random.default_rng(0)
    own, retrained = rng.lognormal(size=60), rng.lognormal(0.5, size=60)
    found = read(KS_D, own, retrained)
    assert found.value == pytest.approx(100 * ks_2samp(own, retrained).statistic)
    assert found.value == read(KS_D, np.log(own), np.log(retrained)).value
    assert found.low < found.value < found.high


def test_a_distance_from_other_items_or_from_none_is_refused_and_of_no_numbers_there_is_none():
    with pytest.raises(ValueError, match="differ in items: 2 and 3"):
        read(KS_D, (1, 2), (1, 2, 3))
    with pytest.raises(ValueError, match="needs the items of a retrained model"):
        reduce(KS_D, {WHOLE: np.ones(3)}, None)
    assert all(math.isnan(read(kind, (1, math.nan), (1, 2)).value) for kind in (KS_D, KS_P))


def mean_logprob(model, prompt, answer):
    """The mean log-prob of an answer's tokens behind a prompt, by one pass over both."""
    before, ids = (tiny_tokenizer()(text).input_ids for text in (prompt, prompt + answer))
    start = next((i for i, (a, b) in enumerate(zip(before, ids, strict=False)) if a != b), len(before))
    with torch.no_grad():
        logprobs = model(torch.tensor([ids])).logits.log_softmax(dim=-1)[0]
    return np.mean([logprobs[i - 1, ids[i]].item() for i in range(start, len(ids))])


def scored(benchmark, batch_size=32, decode="shared"):
    passes = Passes(decode=decode)
    ready = Evaluator(benchmark, tiny_tokenizer(), MUSE, None, batch_size=batch_size, passes=passes)
    ready = ready.with_scores(NAMES)
    return ready.with_reference(ready.reference_of(tiny_model(5)))(tiny_model())


@pytest.mark.parametrize("decode", DECODE)
def test_every_item_is_that_of_a_plain_loop(decode):
    benchmark, model = asked_benchmark(6), tiny_model()
    items = scored(benchmark, decode=decode).items
    for split, name in (("forget", "truth_ratio_f"), ("retain", "truth_ratio_r")):
        expected = []
        for row in benchmark.rows("qa", split):
            prompt = f"Question: {row['question']}\nAnswer: "
            wrong = [mean_logprob(model, prompt, answer) for answer in row["perturbed_answers"]]
            ratio = math.exp(np.mean(wrong) - mean_logprob(model, prompt, row["paraphrased_answer"]))
            expected.append(100 * (min(ratio, 1 / ratio) if split == "forget" else max(0, 1 - ratio)))
        np.testing.assert_allclose(items[items.score == name].value, expected, rtol=1e-4, atol=1e-3)


def test_neither_the_batch_size_nor_what_is_read_beside_a_question_changes_its_items():
    benchmark = asked_benchmark(4)
    longer = [
        row | {"perturbed_answers": ["It was in a town far away from the mill.", "no"]}
        for row in benchmark.rows("qa", "forget")
    ]
    beside = Benchmark("beside", benchmark.splits | {("qa", "forget"): benchmark.rows("qa", "forget") + longer})
    want, one, more = scored(benchmark).items, scored(benchmark, batch_size=1).items, scored(beside).items
    np.testing.assert_allclose(one.value, want.value, rtol=1e-4, atol=1e-3)
    for name in ("truth_ratio_f", "truth_ratio_paper_f"):
        found, known = (table[table.score == name].value.to_numpy() for table in (more, want))
        np.testing.assert_allclose(found[:4], known, rtol=1e-4, atol=1e-3)


def test_where_there_is_no_paraphrase_the_answer_itself_is_set_against_wrong_ones():
    rows = [{"question": "Where?", "answer": "Here", "perturbed_answers": ["There"]}]
    task = prepare("forget", Benchmark("b", {("qa", "forget"): rows}), tiny_tokenizer(), MUSE)
    assert task.truths == ["Here"]


def test_scores_of_forgotten_questions_share_one_pass():
    own = ("truth_ratio_f", "truth_ratio_paper_f", "ks_d", "forget_quality")
    assert all(all_scores()[name].prepare is PREPARED[FORGET] for name in own)


def test_without_wrong_answers_they_are_absent_and_say_why():
    benchmark = asked_benchmark()
    for row in benchmark.splits["qa", "forget"]:
        del row["perturbed_answers"]
    assert [name for name in NAMES if all_scores()[name].can_read(benchmark)] == ["truth_ratio_r"]
    assert all_scores()["ks_d"].unfit(benchmark) == "has no column 'perturbed_answers' in qa/forget"
    assert set(scored(benchmark).scores) == {"truth_ratio_r"}


def test_without_a_retrained_model_there_is_no_distance_and_no_p():
    found = Evaluator(asked_benchmark(), tiny_tokenizer(), MUSE, None).with_scores(NAMES)(tiny_model()).scores
    assert set(found) == {"truth_ratio_f", "truth_ratio_paper_f", "truth_ratio_r"}


def test_p_is_for_reports_alone():
    cards = {name: all_scores()[name].card for name in NAMES}
    assert [name for name, card in cards.items() if not card.searched] == ["forget_quality"]
    assert not any(card.shown for card in cards.values())
