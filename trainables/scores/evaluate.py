"""All scores of a subject in one call, by one protocol, each with its interval and its items.

    evaluator = Evaluator(benchmark, tokenizer, PROTOCOLS["muse"], None)
    evaluator = evaluator.with_reference(evaluator.reference_of(retrained_model))
    evaluation = evaluator(model)

Loading models and benchmarks is not done here.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores import all_scores
from trainables.scores.protocol import Protocol
from trainables.scores.reductions import Reading, Samples, Undefined, reduce
from trainables.scores.score import COLUMNS, COUNTS, REPORTS, Items, Score
from trainables.scores.truths import check_truths
from trainables.subjects.subject import longer
from trainables.world import ALONE, World

Reference = Mapping[str, Samples]  # relative score -> what its items of the retrained model are


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The scores of one subject: `items` has a row an item.

    Where the protocol splits items, `scores` are of those that choose, and `reported` has of each score that is split
    what those say that no choice saw. What is not in `reported` is of all items, for both.
    """

    protocol: str
    scores: dict[str, Reading]
    items: pd.DataFrame
    reported: dict[str, Reading] = field(default_factory=dict)


class Evaluator:
    """A benchmark made ready for one tokenizer and protocol; calling it with a subject gives an Evaluation.

    Scores whose texts the benchmark lacks are absent. Without `reference`, the `reference_of` the retrained model,
    scores that are read against it are absent too: no reference is ever made up. ValueError names a text that a score
    cannot use, a truth that the protocol's ROUGE does not see (truths.py), and a reference of other items or by which
    nothing can be divided. The workers of `world` share the items out; all of them have to call, and all get
    the whole evaluation. `passes` are the ways in which the model may be run (`capabilities.probe`); the fastest are
    taken for granted where they are not given. Scores `beside` those that there are, are measured too.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        tokenizer: Any,
        protocol: Protocol,
        reference: Reference | None,
        *,
        batch_size: int = 32,
        seed: int = 0,
        world: World = ALONE,
        passes: Passes = FAST,
        beside: Collection[Score] = (),
    ) -> None:
        self.protocol, self.reference, self.world = protocol, reference, world
        self.batch_size, self.seed, self.passes = batch_size, seed, passes
        own = [score.of(benchmark) for score in (*all_scores().values(), *beside)]
        found = [score for score in own if score.can_read(benchmark)]
        self._scores = sorted(found, key=lambda score: score.relative)  # those that stand by themselves come first
        self._tasks: dict[Callable[..., Any], Any] = {}
        for score in self._scores:
            if score.prepare not in self._tasks:
                self._tasks[score.prepare] = score.prepare(benchmark, tokenizer, protocol)
            if score.words:
                truths = self._tasks[score.prepare].truths
                check_truths(truths, protocol, f"benchmark {benchmark.name!r}: {score.name}")

    def with_reference(self, reference: Reference) -> "Evaluator":
        """The same evaluator with what a retrained model hands on; nothing is tokenised again."""
        other = copy.copy(self)
        other.reference = reference
        return other

    def with_scores(self, names: Collection[str]) -> "Evaluator":
        """The same evaluator for these scores alone: what only others need of the model is not done."""
        other = copy.copy(self)
        other._scores = [score for score in self._scores if score.name in names]
        return other

    def on(self, benchmark: Benchmark, tokenizer: Any) -> "Evaluator":
        """The same scores of another benchmark."""
        other = copy.copy(self)
        prepares = dict.fromkeys(prepare for score in self._scores for prepare in score.prepares)
        other._tasks = {prepare: prepare(benchmark, tokenizer, self.protocol) for prepare in prepares}
        return other

    def with_batch_size(self, batch_size: int) -> "Evaluator":
        """The same evaluator with as many items at once; the scores are the same."""
        other = copy.copy(self)
        other.batch_size = batch_size
        return other

    def with_passes(self, passes: Passes) -> "Evaluator":
        """The same evaluator for a model that is run in these ways."""
        other = copy.copy(self)
        other.passes = passes
        return other

    def lengths(self, subject: Any = None) -> dict[str, int]:
        """Most tokens that a subject, or any plain model, reads at once, new ones counted: split -> number."""
        found: dict[str, int] = {}
        for task in self._tasks.values():
            for split, tokens in task.longest.items():
                found[split] = max(found.get(split, 0), tokens + longer(subject))
        return found

    def reference_of(self, model: Any) -> Reference:
        """What a retrained model hands on: its items of every score that is read against it; empty where none is."""
        relative = [score for score in self._scores if score.relative]
        return handed_on(self._measure(model, relative))

    def of_retrained(self, model: Any) -> tuple[Reference, Evaluation]:
        """What a retrained model hands on, and its evaluation beside itself; it is run once for both."""
        measured = self._measure(model, self._scores)
        reference = handed_on(measured)
        return reference, (self.with_reference(reference) if reference else self)._evaluated(measured)

    def __call__(self, subject: Any) -> Evaluation:
        """Evaluates a subject; its model's training flag and attention are as before afterwards."""
        return self._evaluated(self._measure(subject, self._scores))

    def _evaluated(self, measured: Sequence[tuple[Score, Items]]) -> Evaluation:
        reports = {score.name: score.reporting(items) if self.protocol.split else None for score, items in measured}
        halves = {score.name: self._read_halves(score, items, reports[score.name]) for score, items in measured}
        tables = [
            table_of_items(score.name, items, reports[score.name])
            for score, items in measured
            if score.card.searched and not score.card.items_of
        ]
        return Evaluation(
            protocol=self.protocol.name,
            scores={name: chosen_by for name, (chosen_by, _) in halves.items() if chosen_by},
            items=pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS),
            reported={name: reported for name, (_, reported) in halves.items() if reported},
        )

    def counting(self, subject: Any, counts: Callable[[Score, Items], np.ndarray]) -> Evaluation:
        """Evaluates a subject by the items that count, a mask [n] for each score; nothing is split, as nothing chooses.

        Every item is in the table, with a column that says whether it counts. A score of which none does is absent.
        """
        measured = [(score, items, counts(score, items)) for score, items in self._measure(subject, self._scores)]
        readings = {score.name: self._read(score, items, mask) for score, items, mask in measured if mask.any()}
        tables = [table_of_items(score.name, items).assign(**{COUNTS: mask}) for score, items, mask in measured]
        return Evaluation(
            protocol=self.protocol.name,
            scores={name: reading for name, reading in readings.items() if reading},
            items=pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, COUNTS]),
        )

    def _measure(self, subject: Any, scores: Iterable[Score]) -> list[tuple[Score, Items]]:
        """The items of scores; those with one `prepare` are measured in one go."""
        shared: dict[str, Any] = {"batch_size": self.batch_size, "world": self.world, "passes": self.passes}
        wanted = dict.fromkeys(prepare for score in scores for prepare in score.prepares)
        measured = {prepare: self._tasks[prepare](subject, **shared) for prepare in wanted}
        return [(score, score.read(measured)) for score in scores]

    def _read_halves(
        self, score: Score, items: Items, reports: np.ndarray | None
    ) -> tuple[Reading | None, Reading | None]:
        """What the items that choose say, and the others; where they are not split, all of them and None."""
        if reports is None:
            return self._read(score, items), None
        chosen_by, reported = (self._read(score, items, mask) for mask in (~reports, reports))
        return (chosen_by, reported) if chosen_by and reported else (None, None)

    def _read(self, score: Score, items: Items, mask: np.ndarray | None = None) -> Reading | None:
        """A score's value, over the items of a mask or all of them.

        None where it has no reference, or none that serves and no search looks at it.
        """
        if score.relative and self.reference is None:
            return None
        reference = self.reference[score.name] if score.relative and self.reference else None
        if mask is not None:
            kinds = np.array(items.kinds(score.card))
            reference = reference and {kind: values[mask[kinds == kind]] for kind, values in reference.items()}
            items = items.only(mask)
        try:
            return reduce(score.card.reduction, items.by_sample(score.card), reference, seed=self.seed)
        except Undefined:
            if score.card.searched:
                raise
            return None


def handed_on(measured: Iterable[tuple[Score, Items]]) -> Reference:
    """Of what was measured of a retrained model the items of scores that are read against it."""
    return {score.name: items.by_sample(score.card) for score, items in measured if score.relative}


def table_of_items(score: str, items: Items, reports: np.ndarray | None = None) -> pd.DataFrame:
    """The items of a score, a row each; with a mask of those that report, a column of it."""
    columns = (score, range(len(items.prompts)), items.prompts, items.outputs, items.truths, items.values)
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return table if reports is None else table.assign(**{REPORTS: pd.array(reports, dtype="boolean")})
