"""The token sequences that a run trains on: those of the forget texts, and those of the penalty's. No model here.

What is to be forgotten is one request, or several that come one after the other: MUSE's scalability (C5) is over its
splits `scal/forget_1` to `_4`, of which each holds the one before, its sustainability (C6) over the parts `sust`.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trainables.benchmarks.benign import attacked, benign_words
from trainables.benchmarks.corpus import read_corpus
from trainables.benchmarks.layout import Benchmark
from trainables.settings import BENIGN_WORDS, REQUESTS, Descent, Settings
from trainables.training.data import cut_texts

RETAIN, UNRELATED = "raw/retain1", "raw/unrelated"
Cut = list[tuple[int, list[int]]]  # sequences, each behind the number of its text
SPLITS = {RETAIN, UNRELATED, *itertools.chain(*REQUESTS.values())}


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Texts, and how they are cut into sequences."""

    source: str  # a split of the benchmark, or a file or folder of texts
    setting: str  # the setting that gives their length
    max_length: int  # tokens of a sequence
    long_texts: str = "split"
    attacked: bool = False  # whether harmless words are put into them

    @property
    def what(self) -> str:
        """How a message names it."""
        return f"training on {self.source} ({self.setting}={self.max_length})"


def streams(settings: Settings) -> tuple[Stream, ...]:
    """What a configuration trains on: the texts of each request, then the penalty's text; none without training."""
    if not isinstance(settings, Descent):
        return ()
    forget = [
        Stream(
            source=request,
            setting="max_length",
            max_length=settings.max_length,
            long_texts=settings.long_texts,
            attacked=settings.request_attack == BENIGN_WORDS,
        )
        for request in settings.requests
    ]
    unrelated = settings.unrelated_texts or UNRELATED
    source = RETAIN if settings.regularisation == "retain" else unrelated
    setting = "regularisation_length" if settings.regularisation_length else "max_length"
    return *forget, Stream(source=source, setting=setting, max_length=getattr(settings, setting))


def cut(stream: Stream, benchmark: Benchmark, tokenizer: Any) -> list[list[int]]:
    """The token sequences of a stream."""
    return [ids for _, ids in cut_rows(stream, benchmark, tokenizer)]


def cut_rows(stream: Stream, benchmark: Benchmark, tokenizer: Any) -> Cut:
    """The token sequences of a stream, each behind the number of its text."""
    in_benchmark = stream.source in SPLITS
    texts = benchmark.texts(*stream.source.split("/")) if in_benchmark else read_corpus(stream.source)
    if stream.attacked:
        words = benign_words(benchmark)
        texts = [attacked(text, words) for text in texts]
    return cut_texts(tokenizer, texts, max_length=stream.max_length, long_texts=stream.long_texts)


def longest(all_settings: Iterable[Settings], sequences: Callable[[Stream], list[list[int]]]) -> dict[str, int]:
    """The tokens of the longest sequence of each stream of some configurations: what it is -> tokens."""
    every = dict.fromkeys(stream for settings in all_settings for stream in streams(settings))
    return {stream.what: max(map(len, sequences(stream)), default=0) for stream in every}
