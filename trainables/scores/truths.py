"""Whether a protocol can score the truths of a benchmark: ROUGE sees nothing of a word that its protocol drops.

A truth of which nothing is scored gives 0 to every output: a model that recites it looks as if it had forgotten it.
"""

import re
from collections.abc import Iterable

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import unicode_words
from trainables.scores import all_scores
from trainables.scores.protocol import PROTOCOLS, Protocol


def check_benchmark_truths(benchmark: Benchmark, protocol: Protocol) -> None:
    """ValueError for the first truth that the protocol does not see; names its split, its row, and what would do."""
    for place, texts in _truths(benchmark):
        check_truths(texts, protocol, place)


def check_truths(texts: Iterable[str], protocol: Protocol, place: str) -> None:
    """ValueError, with `place` and row, for the first text that the protocol does not see."""
    for number, text in enumerate(texts, 1):
        if not sees(protocol, text):
            beginning = repr(text if len(text) <= 60 else text[:60] + "...")
            others = [name for name, other in PROTOCOLS.items() if sees(other, text)]
            if not others:
                raise ValueError(f"{place}, row {number}: {beginning} has no letter or digit that could be scored")
            raise ValueError(
                f"{place}, row {number}: protocol {protocol.name!r} scores less than half of the letters and digits of "
                f"{beginning}: choose --protocol {' or '.join(others)}"
            )


def protocol_for(benchmark: Benchmark) -> str:
    """The first protocol that sees every truth; ValueError for a truth that none sees."""
    check_benchmark_truths(benchmark, PROTOCOLS["muse-unicode"])  # which sees what any other does
    texts = [text for _, texts in _truths(benchmark) for text in texts]
    return next(name for name, protocol in PROTOCOLS.items() if all(sees(protocol, text) for text in texts))


def sees(protocol: Protocol, text: str) -> bool:
    """Whether at least half of the letters and digits of a text, and at least one, stand in words of the protocol."""
    there = sum(map(len, unicode_words(text)))
    seen = there if protocol.unicode_words else len(re.findall("[a-z0-9]", text.lower()))
    return seen > 0 and 2 * seen >= there


def _truths(benchmark: Benchmark) -> list[tuple[str, list[str]]]:
    compared = {score.needs[0]: score.words for score in all_scores().values() if score.words}
    return [
        (f"benchmark {benchmark.name!r}: split {config}/{split}", [row[column] for row in rows])
        for (config, split), column in compared.items()
        if (rows := benchmark.splits.get((config, split)))
    ]
