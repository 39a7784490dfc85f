"""What stands in one set of texts and in another: passages are compared by their runs of words, not as a whole.

So a passage is found again where other text was put before it and all cuts moved, and a phrase in common is no find.
"""

import functools
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import unicode_words

RUN = 8  # words of a run
# What is regularised on, what is judged on, what the retrained model read, and what no model has read.
KEPT = (("raw", "retain1"), ("raw", "retain2"), ("train", "retain"), ("privleak", "retain"), ("privleak", "holdout"))


def shared_passages(passages: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The passages of which at least half of the runs of RUN words stand in one of the texts.

    Case, punctuation and line ends count for nothing. A passage of fewer words is one run, and so is such a text.
    """
    there = _all_runs(texts)
    return [passage for passage in passages if _is_shared(passage, there)]


def count_forget_passages(benchmark: Benchmark) -> dict[str, tuple[int, int]]:
    """Of each split that should hold no forget text: how many of its texts stand in `raw/forget`, and its texts.

    Splits without such a text are left out. A text that stands in several splits is looked at once.
    """
    there = _all_runs(benchmark.texts("raw", "forget"))
    is_shared = functools.cache(lambda text: _is_shared(text, there))
    splits = {f"{c}/{s}": benchmark.texts(c, s) for c, s in KEPT if benchmark.has(c, s)}
    counts = {place: (sum(map(is_shared, texts)), len(texts)) for place, texts in splits.items()}
    return {place: count for place, count in counts.items() if count[0]}


def overlap_notes(benchmark: Benchmark) -> list[str]:
    """A note on the forget text that stands in what should be kept, or that no model should have read; or none."""
    found = count_forget_passages(benchmark)
    if not found:
        return []
    counts = ", ".join(f"{shared} of {everything} texts of {place}" for place, (shared, everything) in found.items())
    return [
        f"{counts} stand in raw/forget too (half or more of their runs of {RUN} words do): what is to be forgotten is "
        "kept, or held out, as well"
    ]


def _is_shared(passage: str, there: AbstractSet[int]) -> bool:
    runs = _runs(passage)
    return bool(runs) and 2 * sum(run in there for run in runs) >= len(runs)


def _all_runs(texts: Iterable[str]) -> set[int]:
    return {run for text in texts for run in _runs(text)}


def _runs(text: str) -> list[int]:
    """The hash of every run of words; none of a text without words."""
    words = unicode_words(text)
    return [hash(tuple(words[i : i + RUN])) for i in range(max(len(words) - RUN + 1, bool(words)))]
