"""The worst request: what is most left of any of the requests that follow one another (MUSE, criterion C6).

    verbmem_worst_f = the largest, over requests, of the mean of VerbMem's items that are about one of them

A mean over all forgotten texts hides a part that came back while later ones were unlearned. It is made of what VerbMem
and KnowMem have a model write, so it costs nothing. Of a model that was not asked for all requests yet it is of all of
them as well. Which request a prompt is about is known as benchmarks/requests.py says; a benchmark of which it is not,
or that asks nothing about one of them, has no such score.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Self

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.requests import PASSAGES, QUESTIONS, parts_of
from trainables.scores.knowmem_f import SCORES as KNOWMEM
from trainables.scores.reductions import LARGEST
from trainables.scores.score import Items, Score
from trainables.scores.verbmem import SCORES as VERBMEM
from trainables.settings import REQUESTS, SUCCESSIVE

SPLITS = tuple((config, name) for config, _, name in (split.partition("/") for split in REQUESTS[SUCCESSIVE]))
SAMPLES = tuple(f"request {number}" for number in range(1, len(SPLITS) + 1))


@dataclass(frozen=True, kw_only=True)
class ByRequest(Score):
    """A score whose items are told apart by the request that each is about, in the order of the rows of `split`."""

    split: str

    def of(self, benchmark: Benchmark) -> Self:
        """The score with a benchmark's own requests."""
        return replace(self, items=partial(_apart, self.items, cache(partial(parts_of, benchmark, self.split))))


def _apart(items: Callable[[Any], Items], parts: Callable[[], Sequence[int]], measured: Any) -> Items:
    found = items(measured)
    kinds = [SAMPLES[part - 1] for part, _ in zip(parts(), found.values, strict=True)]
    return Items(found.prompts, found.outputs, kinds, found.values)


def _unfit(split: str, benchmark: Benchmark) -> str:
    known = set(parts_of(benchmark, split))
    return "" if len(known) == len(SAMPLES) else "does not tell of each request which rows are about it"


def worst(score: Score, name: str, split: str, *beside: tuple[str, str]) -> Score:
    """The same items, read by the request of which most is left; a request's own splits come first."""
    card = replace(
        score.card,
        name=name,
        meaning=f"{score.card.meaning}, of that request of which most is left",
        item="",
        forgotten=False,
        shown=False,
        reduction=LARGEST,
        samples=SAMPLES,
    )
    return ByRequest(
        card=card,
        needs=(*SPLITS, *beside, *score.needs),
        prepare=score.prepare,
        items=score.items,
        together=score.together,
        lacking="requests that follow one another (config sust)",
        unfit=partial(_unfit, split),
        split=split,
    )


SCORES = (
    worst(VERBMEM[0], "verbmem_worst_f", PASSAGES),
    worst(KNOWMEM[0], "knowmem_worst_f", QUESTIONS, ("facts", "forget")),
)
