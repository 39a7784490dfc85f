"""shared_k: whether the model still answers what the forgotten texts and others tell alike (DUSK, arXiv 2505.15209).

Asked as KnowMem asks, of facts that a retained text tells too: unlearning that takes them along has no selectivity.
"""

from typing import Any

from trainables.benchmarks.layout import Benchmark
from trainables.scores.knowmem import KnowMem
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Score
from trainables.scores.split import by_name

ASKED, SHOTS = ("style", "shared"), ("style", "shared_icl")


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> KnowMem:
    """The shared questions of a benchmark, with their few-shot examples."""
    return KnowMem(benchmark.rows(*ASKED), benchmark.rows(*SHOTS), tokenizer, protocol, "/".join(ASKED))


SCORES = (
    Score(
        card=Card(
            name="shared_k",
            goal="maximize",
            meaning="answers about what forgotten and retained text share",
            item="questions about shared facts",
        ),
        needs=(ASKED, SHOTS),
        prepare=prepare,
        words="answer",
        together=by_name,
        lacking="questions about shared facts (config style)",
    ),
)
