"""What the two models of a benchmark that was made here score: all items, by the protocol muse."""

from collections.abc import Collection
from pathlib import Path

from trainables.benchmarks.layout import load_benchmark
from trainables.scores.evaluate import Evaluation, Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer


def evaluated(folder: Path, scores: Collection[str]) -> dict[str, Evaluation]:
    """These scores of the target and of the retrained model in a folder, beside which they are read."""
    benchmark, tokenizer = load_benchmark(folder / "data"), load_tokenizer(folder / "target")
    evaluator = Evaluator(benchmark, tokenizer, PROTOCOLS["muse"], None).with_scores(scores)
    reference, retrained = evaluator.of_retrained(load_model(folder / "retrained"))
    return {"target": evaluator.with_reference(reference)(load_model(folder / "target")), "retrained": retrained}
