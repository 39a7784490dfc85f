"""A text before each question: what a model was made to forget it may tell again where something reminds it.

`icr:full` puts the text before a question that holds its answer, `icr:partial` the same without the sentences that
hold it. Of a full one every model that reads at all tells the answer: less than the retrained model says that a method
suppresses even what its user supplies. Of a partial one more than the retrained model is what was left in the weights.
Source: "UnUnlearning" (arXiv 2407.00106), a position paper; how it is measured is Lethe's own. The model is left alone.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

from trainables.benchmarks.layout import BLANK, Benchmark
from trainables.benchmarks.names import names_of
from trainables.benchmarks.rows import Row
from trainables.benchmarks.words import split_sentences
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.scores.choices import wrong_answers
from trainables.scores.split import by_name, question
from trainables.settings import setting

FULL, PARTIAL = "full", "partial"
ASKED, SHOTS = ("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")
KNOW = (ASKED, SHOTS)
UNSEEN = 200  # names of texts that no model has seen, among which one is taken for each question


@dataclass(frozen=True, kw_only=True)
class Context(Stress):
    """Questions about forgotten text, each behind the text that it is about, as its examples are behind theirs.

    Questions to which no forgotten text holds the answer do not count. ValueError for a context that is not known.
    """

    kind: ClassVar[str] = "icr"
    meaning: ClassVar[str] = "questions are asked behind the text that they are about"
    main: ClassVar[str] = "context"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (("raw", "forget"), ("privleak", "holdout"), ASKED, SHOTS)
    read_by: ClassVar[tuple[str, ...]] = ("knowmem_f", "answer_prob_f", "leak_at_100_f")

    context: str = setting(FULL, "what stands before a question", choices=(FULL, PARTIAL))

    def on(self, subject: Any, texts: Texts) -> AbstractContextManager[Any]:
        """The subject as it is."""
        return nullcontext(subject)

    def asked(self, benchmark: Benchmark) -> Benchmark:
        """The benchmark with a text before each question, and before each example."""
        return _behind(
            benchmark, {split: [self._row(row, benchmark) for row in benchmark.rows(*split)] for split in KNOW}
        )

    def readable(self, texts: Texts) -> Benchmark:
        """Questions that only what stands before them answers: texts whose name and whose answer are another's.

        The name is one that no model has seen, so that a target cannot know it, and has to read.
        """
        rows = texts.benchmark.rows(*ASKED)
        names = names_of(texts.benchmark.texts("privleak", "holdout"), texts.benchmark.texts("raw", "forget"), UNSEEN)
        others = wrong_answers(rows, [], count=1)
        made = [
            _made_up(row, texts.benchmark, names[i % len(names)] if names else "", other)
            for i, (row, other) in enumerate(zip(rows, others, strict=True))
        ]
        shots = [_with(row, text_of(row, texts.benchmark)) for row in texts.benchmark.rows(*SHOTS)]
        return _behind(texts.benchmark, {ASKED: [row for row in made if row], SHOTS: shots})

    def unseen(self, prompts: list[str], texts: Texts) -> list[bool]:
        """Whether a text stands before a prompt's question."""
        rows = texts.benchmark.rows(*ASKED)
        there = {row["question"] for row in rows if text_of(row, texts.benchmark)}
        return [question(prompt) in there for prompt in prompts]

    def _row(self, row: Row, benchmark: Benchmark) -> Row:
        text = text_of(row, benchmark)
        return _with(row, text if self.context == FULL else without(text, row["answer"]))


def text_of(row: Row, benchmark: Benchmark) -> str:
    """The first forgotten text that names whom or what a question is about, and holds its answer; "" for none."""
    (name,) = by_name([row["question"]])
    texts: Iterable[str] = benchmark.texts("raw", "forget")
    return next((text for text in texts if name in text and row["answer"] in text), "")


def without(text: str, answer: str) -> str:
    """A text without the sentences that hold an answer."""
    return "".join(part for part in split_sentences(text) if answer not in part).strip()


def _with(row: Row, text: str) -> Row:
    return row | {"context": f"{text.strip()}{BLANK}"} if text else row


def _made_up(row: Row, benchmark: Benchmark, name: str, other: list[str]) -> Row | None:
    """A question about a name that nobody knows, behind a text that gives another answer; None where that cannot be."""
    text, (own,) = text_of(row, benchmark), by_name([row["question"]])
    if not text or not name or not other or own == row["question"]:
        return None
    moved = text.replace(row["answer"], other[0]).replace(own, name)
    return _with({"question": row["question"].replace(own, name), "answer": other[0]}, moved)


def _behind(benchmark: Benchmark, changed: dict[tuple[str, str], list[Row]]) -> Benchmark:
    return Benchmark(name=benchmark.name, splits={**benchmark.splits, **changed})
