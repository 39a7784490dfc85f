"""The contract of a score, on one page: what a file of this room holds. No torch is loaded for it.

    SCORES = (
        Score(
            card=Card(name="verbmem_f", goal="minimize", meaning="recites forgotten text", item="forgotten text"),
            needs=(("verbmem", "forget"),),
            prepare=prepare,  # (benchmark, tokenizer, protocol) -> Task, which measures a model item by item
        ),
    )

What the items say becomes one value with its interval by the card's `reduction` (reductions.py). The card is plain data
and is stored with every study, so that searches, ablations and the dashboard know a score that they do not name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.scores.protocol import Protocol
from trainables.scores.reductions import (
    DIFFERENCE,
    HARMONIC,
    KINDS,
    LARGEST,
    MEAN,
    RATIO,
    RATIO_BESIDE,
    RELATIVE,
    WHOLE,
    Samples,
)
from trainables.scores.split import alone, reporting

if TYPE_CHECKING:
    from trainables.decoding.passes import Passes
    from trainables.world import World

GOALS = ("minimize", "maximize", "zero")
RETRAINED, GAP = "retrained", "_gap"  # what asks for a score's gap, in the place of a goal; how a gap's name ends
COLUMNS = ["score", "item", "prompt", "output", "truth", "value"]  # of a table of items
REPORTS = "reports"  # of a table of items: whether no choice sees the item; missing where items are not split
COUNTS = "counts"  # of a table of items that an audit wrote: whether the item says anything under the stress


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a reader, a search and an ablation have to know of a score. ValueError for what is not allowed."""

    name: str
    goal: str  # where it should go: minimize, maximize or zero
    meaning: str  # what a model does that scores high, in a reader's words: "recites forgotten text"
    item: str = ""  # what an item is, in a reader's words; "" where its items hold nothing that a model wrote
    forgotten: bool = False  # its items ask for what is to be forgotten: some of them stand for a model
    good: float | None = None  # where the goal is zero: up to how far from 0 is good
    shown: bool = True  # tables have a column of it, also where nothing is judged by it
    searched: bool = True  # searches measure it, and it may be searched for; else only reports and references have it
    reduction: str = MEAN
    samples: tuple[str, ...] = ()  # of a ratio of AUCs, or of several means: kinds of items, as column `truth` has them
    on_request: bool = False  # searches measure it only where they judge by it; reports and references all the same
    items_of: str = ""  # of a mean of differences: whose items it is of

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise ValueError(f"score {self.name!r} has goal {self.goal!r}: choose {', '.join(GOALS)}")
        if self.reduction not in KINDS:
            choices = ", ".join(map(repr, KINDS))
            raise ValueError(f"score {self.name!r} has reduction {self.reduction!r}: choose {choices}")
        count = len(self.samples)
        wanted = {RATIO: count == 2, RATIO_BESIDE: count == 2, HARMONIC: count > 0, LARGEST: count > 0}
        if not wanted.get(self.reduction, count == 0):
            raise ValueError(f"score {self.name!r}: a {RATIO} compares 2 samples, and a mean has none")
        if bool(self.items_of) != (self.reduction == DIFFERENCE):
            raise ValueError(f"score {self.name!r}: a {DIFFERENCE}, and nothing else, is of the items of another score")


@dataclass(frozen=True)
class Items:
    """What came of a model, item by item; `values` [n] are x100, or what they are of attacks and truth ratios."""

    prompts: list[str]
    outputs: list[str]
    truths: list[str]
    values: np.ndarray

    def by_sample(self, card: Card) -> Samples:
        """The values as they are reduced: of each of the card's samples, or all of them as one."""
        kinds = np.array(self.kinds(card))
        return {kind: self.values[kinds == kind] for kind in card.samples or (WHOLE,)}

    def kinds(self, card: Card) -> list[str]:
        """Of which sample each item is."""
        return self.truths if card.samples else [WHOLE] * len(self.values)

    def above(self, others: "Items") -> "Items":
        """The items with what each has more than the same one of others, which have all of them."""
        known = dict(zip(zip(others.prompts, others.truths, strict=True), others.values.tolist(), strict=True))
        base = [known[asked] for asked in zip(self.prompts, self.truths, strict=True)]
        return Items(self.prompts, self.outputs, self.truths, self.values - np.array(base))

    def only(self, mask: np.ndarray) -> "Items":
        """The items of a mask [n]."""
        kept = np.flatnonzero(mask).tolist()
        prompts, outputs, truths = ([column[i] for i in kept] for column in (self.prompts, self.outputs, self.truths))
        return Items(prompts, outputs, truths, self.values[mask])


class Task(Interface):
    """A score's texts, tokenised once; call it with a model. It leaves the model as it was."""

    @property
    def longest(self) -> Mapping[str, int]:
        """The most tokens that a model reads at once, new ones counted: "config/split" -> number."""

    def __call__(self, model: Any, *, batch_size: int, world: "World", passes: "Passes") -> Any:
        """The items: the same for every batch size, and on every worker of a world, which share the work."""


def whole(measured: Any) -> Items:
    """What a task that serves one score measured is that score's items."""
    return measured


def fit(benchmark: Benchmark) -> str:
    """Nothing is wrong with a benchmark that has the splits."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score: its card, what it needs of a benchmark, and how a model is measured.

    Scores with the same `prepare` are measured at once, and `items` takes out each one's own. What only some of them
    need may be done there: it is called while the model is what it was.
    """

    card: Card
    needs: tuple[tuple[str, str], ...]  # configs and splits of MUSE's layout, without which it is absent
    prepare: Callable[[Benchmark, Any, Protocol], Task]
    items: Callable[[Any], Items] = whole
    words: str = ""  # the column of its first split whose words ROUGE compares, which its protocol has to see
    together: Callable[[Sequence[str]], Sequence[str]] = alone  # of each prompt, the group that is not split (split.py)
    lacking: str = ""  # what a benchmark without its splits has not got, where its config says too little
    unfit: Callable[[Benchmark], str] = (
        fit  # what is wrong with splits that are there: "has too few ..."; "" if nothing
    )
    rather: "Score | None" = None  # the same card by other splits: what is measured where a benchmark has those
    gained_on: "Score | None" = None  # its values are what its items have more than the same ones of this score
    made_by: str = ""  # of a score that is measured where it is asked for: hash of the code that makes it

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def relative(self) -> bool:
        """Whether it is read against the items of a retrained model, without which it is absent."""
        return self.card.reduction in RELATIVE

    @property
    def prepares(self) -> list[Callable[[Benchmark, Any, Protocol], Task]]:
        """What makes the tasks that it is measured by."""
        return [self.prepare, *(self.gained_on.prepares if self.gained_on else ())]

    def read(self, measured: Mapping[Callable[[Benchmark, Any, Protocol], Task], Any]) -> Items:
        """Its items, of what these tasks measured of one model."""
        own = self.items(measured[self.prepare])
        return own.above(self.gained_on.read(measured)) if self.gained_on else own

    def of(self, benchmark: Benchmark) -> "Score":
        """The score as a benchmark has it measured: by the splits that it rather reads, if it has them."""
        return self.rather if self.rather and self.rather.can_read(benchmark) else self

    def reporting(self, items: Items) -> np.ndarray | None:
        """A mask of the items that report where the others choose; None where there are too few for two halves."""
        return reporting(self.together(items.prompts), items.kinds(self.card))

    def can_read(self, benchmark: Benchmark) -> bool:
        """Whether a benchmark has all the splits that it needs, and they serve."""
        return all(benchmark.has(*split) for split in self.needs) and not self.unfit(benchmark)
