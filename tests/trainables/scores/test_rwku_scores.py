"""RWKU's levels: the recall of an answer in the line that a model writes."""

import pytest
import torch
from rouge_score.rouge_scorer import RougeScorer
from tiny import asked_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores import rwku
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.rouge import decode

MUSE = PROTOCOLS["muse"]
OWN = {score.name: score for score in rwku.SCORES}
SCORER = RougeScorer(["rougeL"])


@pytest.mark.parametrize(
    ("truth", "output", "want"),
    [("red mill", "the red old mill", 1), ("red mill", "mill red", 1 / 2), ("red mill", "", 0), ("", "mill", 0)],
)
def test_recall_is_the_share_of_the_truth_that_is_written_in_its_order(truth, output, want):
    assert rwku.recall(truth.split(), output.split()) == want


def test_an_item_is_the_first_line_of_thirty_greedy_tokens():
    benchmark, model, tokenizer = asked_benchmark(4), tiny_model(), tiny_tokenizer()
    items = OWN["level1_f"].items(OWN["level1_f"].prepare(benchmark, tokenizer, MUSE)(model))
    for prompt, output, truth, value in zip(items.prompts, items.outputs, items.truths, items.values, strict=True):
        ids = torch.tensor([tokenizer(prompt).input_ids])
        written = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, do_sample=False, pad_token_id=2
        )
        assert output == decode(tokenizer, written[0, ids.shape[1] :].tolist()).split("\n")[0].strip()
        assert value == pytest.approx(100 * SCORER.score(truth, output)["rougeL"].recall)
    assert [prompt.count("Question: ") for prompt in items.prompts] == [1] * 4


def test_an_attack_is_written_as_its_type_asks():
    rows = [
        {"question": "Where?", "answer": "Ede", "kind": "level3", "type": name}
        for name in ("affirmative suffix", "incontext learning", "role play")
    ]
    benchmark = Benchmark("b", {("probe", "forget"): rows})
    items = OWN["level3_f"].prepare(benchmark, tiny_tokenizer(), MUSE)(tiny_model())
    assert items.prompts == ["Question: Where?", "Where?\nAnswer: ", "Question: Where?\nAnswer: "]


def test_a_level_that_is_not_there_is_absent_for_that_reason():
    benchmark = asked_benchmark()
    rows = [row for row in benchmark.rows("probe", "forget") if row["kind"] != "level3"]
    without = Benchmark("b", benchmark.splits | {("probe", "forget"): rows})
    assert OWN["level3_f"].unfit(without) == "has no questions of kind level3 in probe/forget"
    assert OWN["level1_f"].can_read(without)
