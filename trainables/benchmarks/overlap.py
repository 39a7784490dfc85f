"""What stands in one set of texts and in another: passages are compared by their runs of words, not as a whole.

So a passage is found again where other text was put before it and all cuts moved, and a phrase in common is no find.
"""

from collections.abc import Sequence

from trainables.benchmarks.layout import Benchmark
from trainables.muse.words import unicode_words

RUN = 8  # words of a run
# What is regularised on, what is judged on, what the retrained model read, and what no model has read.
KEPT = (("raw", "retain1"), ("raw", "retain2"), ("train", "retain"), ("privleak", "retain"), ("privleak", "holdout"))


def shared_passages(passages: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The passages of which at least half of the runs of RUN words stand in one of the texts.

    Case, punctuation and line ends count for nothing. A passage of fewer words is one run, and so is such a text.
    """
    there = {run for text in texts for run in _runs(text)}
    return [passage for passage in passages if _is_shared(_runs(passage), there)]


def count_forget_passages(benchmark: Benchmark) -> dict[str, tuple[int, int]]:
    """Of each split that should hold no forget text: how many of its texts stand in `raw/forget`, and its texts.

    Splits without such a text are left out.
    """
    forget = benchmark.texts("raw", "forget")
    counts = {
        f"{config}/{split}": (len(shared_passages(texts, forget)), len(texts))
        for config, split in KEPT
        if benchmark.has(config, split) and (texts := benchmark.texts(config, split))
    }
    return {place: count for place, count in counts.items() if count[0]}


def _is_shared(runs: list[int], there: set[int]) -> bool:
    return bool(runs) and 2 * sum(run in there for run in runs) >= len(runs)


def _runs(text: str) -> list[int]:
    """The hash of every run of words; none of a text without words."""
    words = unicode_words(text)
    return [hash(tuple(words[i : i + RUN])) for i in range(max(len(words) - RUN + 1, bool(words)))]
