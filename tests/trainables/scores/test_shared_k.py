"""shared_k asks the questions of style/shared just as KnowMem asks its own, and there is none without them."""

import pytest
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores import all_scores
from trainables.scores.protocol import PROTOCOLS

SHARED, KNOWN = all_scores()["shared_k"], all_scores()["knowmem_f"]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_same_questions_give_the_same_items_as_knowmem_s(protocol):
    benchmark = tiny_benchmark(6)  # whose shared questions are KnowMem's
    shared, known = (
        score.items(score.prepare(benchmark, tiny_tokenizer(), protocol)(tiny_model())) for score in (SHARED, KNOWN)
    )
    assert (shared.prompts, shared.outputs, shared.truths) == (known.prompts, known.outputs, known.truths)
    assert shared.values.tolist() == known.values.tolist()
    assert SHARED.together(shared.prompts) == KNOWN.together(known.prompts)


def test_its_examples_are_those_of_its_own_config():
    benchmark = tiny_benchmark()
    other = [row | {"answer": "elsewhere"} for row in benchmark.rows("style", "shared_icl")]
    changed = Benchmark("b", benchmark.splits | {("style", "shared_icl"): other})
    task = SHARED.prepare(changed, tiny_tokenizer(), PROTOCOLS["muse"])
    assert all(prompt.count("elsewhere") == len(other) for prompt in task.prompts)


def test_it_is_to_rise():
    assert (SHARED.card.goal, SHARED.card.forgotten) == ("maximize", False)
