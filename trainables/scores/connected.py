"""Whether a fact is reached on other ways than the plain question: under another name, backwards, over two facts.

The questions are those of the config `probe`, by their column `kind`, asked as KnowMem asks, behind the examples of
their kind in `probe/shots` where there are any. `forget_reach` is, for each fact that a plain question asks for (kind
base), the best answer of all kinds: a model that lost the plain question alone has it high. It is read beside the
retrained model, which guesses too: the best of several guesses is not 0. `same_answer_r` asks retained facts that have
the answer of a forgotten one. After "The Unlearning Mirage" (arXiv 2603.11266) and FaithUn (arXiv 2502.19207).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.rows import lacking
from trainables.scores.knowmem import KnowMem
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name

CONFIG, SHOTS = "probe", "shots"
BASE, SAME = "base", "same_answer"
WAYS = {  # kind -> what a model does that answers such questions, in a reader's words
    "alias": "under another name",
    "reverse": "backwards",
    "multi_hop": "over two facts",
}
ASKED = {"forget": (BASE, *WAYS), "retain": (*WAYS, SAME)}  # split -> the kinds that are read of it


@dataclass(frozen=True)
class Reached:
    """What one model answers to the questions of a split: the items of each kind, and the fact that each asks for."""

    items: dict[str, Items]
    facts: dict[str, list[str]]


class Connected:
    """The questions of a split by their kinds, tokenised once; call it with a model."""

    def __init__(self, benchmark: Benchmark, split: str, tokenizer: Any, protocol: Protocol) -> None:
        place = f"{CONFIG}/{split}"
        shots = benchmark.rows(CONFIG, SHOTS) if benchmark.has(CONFIG, SHOTS) else []
        rows = {kind: _of_kind(benchmark.rows(CONFIG, split), kind) for kind in ASKED[split]}
        self._facts = {kind: [row.get("fact", "") for row in own] for kind, own in rows.items() if own}
        self._tasks = {
            kind: KnowMem(own, _of_kind(shots, kind), tokenizer, protocol, place) for kind, own in rows.items() if own
        }
        self.truths = [truth for task in self._tasks.values() for truth in task.truths]
        self.longest = {place: max(task.longest[place] for task in self._tasks.values())}

    def __call__(self, model: Any, **options: Any) -> Reached:
        """Answers the questions of all kinds."""
        return Reached({kind: task(model, **options) for kind, task in self._tasks.items()}, self._facts)


def _of_kind(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["kind"] == kind]


def prepare(split: str, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Connected:
    """The questions of a split of a benchmark."""
    return Connected(benchmark, split, tokenizer, protocol)


PREPARED = {split: partial(prepare, split) for split in ASKED}  # all scores of a split share its answers


def of_kind(kind: str, measured: Reached) -> Items:
    """The items of one kind."""
    return measured.items[kind]


def best_of_each_fact(measured: Reached) -> Items:
    """Of each fact that a plain question asks for, its best answer by any question; the plain one of equals."""
    plain, facts = measured.items[BASE], measured.facts[BASE]
    answers = [
        (fact, value, output, truth)
        for kind, own in measured.items.items()
        for fact, value, output, truth in zip(measured.facts[kind], own.values, own.outputs, own.truths, strict=True)
    ]
    best: dict[str, tuple[float, str, str]] = {}
    for fact, value, output, truth in answers:  # plain ones come first
        if fact not in best or value > best[fact][0]:
            best[fact] = (float(value), output, truth)
    values, outputs, truths = zip(*(best[fact] for fact in facts), strict=True)
    return Items(plain.prompts, list(outputs), list(truths), np.array(values))


def without(split: str, kinds: tuple[str, ...], benchmark: Benchmark) -> str:
    """Why a split has nothing to ask of some kinds; "" where it has."""
    rows = benchmark.rows(CONFIG, split)
    missing = [kind for kind in kinds if not _of_kind(rows, kind)]
    return f"has no questions of kind {missing[0]} in {CONFIG}/{split}" if missing else ""


def without_facts(benchmark: Benchmark) -> str:
    """Why there is no best answer of each fact; "" where there is."""
    column = lacking(benchmark.rows(CONFIG, "forget"), "fact")
    return f"has no column {column!r} in {CONFIG}/forget" if column else without("forget", (BASE,), benchmark)


def _score(kind: str, split: str, meaning: str, item: str, *, shown: bool) -> Score:
    return Score(
        card=Card(
            name=f"{kind}_{split[0]}",
            goal="minimize" if split == "forget" else "maximize",
            meaning=meaning,
            item=item,
            forgotten=split == "forget",
            shown=shown,
            searched=shown,
        ),
        needs=((CONFIG, split),),
        prepare=PREPARED[split],
        items=partial(of_kind, kind),
        words="answer",
        together=by_name,
        lacking="questions on other ways to its facts (config probe)",
        unfit=partial(without, split, (kind,)),
    )


SCORES = (
    Score(
        card=Card(
            name="forget_reach",
            goal="minimize",
            meaning="answers about forgotten text, whatever way it is asked",
            item="facts of forgotten text",
            forgotten=True,
        ),
        needs=((CONFIG, "forget"),),
        prepare=PREPARED["forget"],
        items=best_of_each_fact,
        words="answer",
        together=by_name,
        lacking="questions on other ways to its facts (config probe)",
        unfit=without_facts,
    ),
    *(
        _score(
            kind, "forget", f"answers about forgotten text {way}", f"questions {way} about forgotten text", shown=True
        )
        for kind, way in WAYS.items()
    ),
    _score(
        SAME,
        "retain",
        "answers about retained text what is the answer of forgotten text too",
        "questions about retained text with an answer of forgotten text",
        shown=True,
    ),
    *(
        _score(
            kind, "retain", f"answers about retained text {way}", f"questions {way} about retained text", shown=False
        )
        for kind, way in WAYS.items()
    ),
)
