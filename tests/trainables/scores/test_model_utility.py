"""Model utility: hand numbers of the spec, and what a plain loop over questions gives."""

import numpy as np
import pytest
from tiny import asked_benchmark, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.scores import all_scores
from trainables.scores.model_utility import SAMPLES, SETS, Kept, probabilities
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.questions import Questions, Weighed
from trainables.scores.reductions import HARMONIC, reduce
from trainables.scores.truth_ratio import preference, ratios

MUSE = PROTOCOLS["muse"]


def of(*means):
    return reduce(HARMONIC, {str(i): np.full(3, 100.0 * mean) for i, mean in enumerate(means)}, None)


def test_the_hand_numbers():
    assert of(0.5, 1, 1).value == pytest.approx(75)
    assert of(0.5, 0, 1).value == 0
    gold = of(0.9895, 0.9857, 0.4747, 0.4555, 0.933, 0.5962, 0.4186, 0.8825, 0.539)
    assert gold.value == pytest.approx(62.27, abs=0.01)  # Llama-2-7b fine-tuned on TOFU, by TOFU's own logs
    assert gold.low < gold.value < gold.high


def test_an_answer_s_probability_beside_wrong_ones():
    weighed = Weighed(["p"], ["t"], np.log([0.35355]), np.log([0.35355]), [np.log([0.1, 0.2])])
    assert probabilities(weighed, among=True) == pytest.approx([0.54097], abs=1e-5)
    assert probabilities(weighed, among=False) == pytest.approx([0.35355])


def test_its_nine_samples_are_the_questions_read_and_answered():
    benchmark, model = asked_benchmark(), tiny_model()
    items = Kept(benchmark, tiny_tokenizer(), MUSE)(model)
    assert items.truths == [sample for sample in SAMPLES for _ in range(4)]
    for name in SETS:
        weighed = Questions(benchmark.rows("qa", name), tiny_tokenizer(), MUSE, name)(model)
        own = {part: items.only(np.array(items.truths) == f"{name} {part}") for part in ("prob", "rouge", "truth")}
        np.testing.assert_allclose(own["truth"].values, 100 * preference(ratios(weighed)), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(own["prob"].values, 100 * probabilities(weighed, among=name != "retain"), rtol=1e-5)
        for row, output, value in zip(
            benchmark.rows("qa", name), own["rouge"].outputs, own["rouge"].values, strict=True
        ):
            assert value == (100 if row["answer"].lower() in output.lower().split() else 0)  # answers of one word


def test_without_one_of_its_sets_it_is_absent():
    score = all_scores()["model_utility"]
    assert score.can_read(asked_benchmark())
    assert not score.can_read(tiny_benchmark())
    for name in SETS:
        benchmark = asked_benchmark()
        del benchmark.splits["qa", name]
        assert not score.can_read(benchmark)
