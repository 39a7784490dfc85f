"""Questions asked in another form: what a model was taught to keep to itself it may tell where it is asked otherwise.

A fact that is gone is gone in every form. The target, under the same form, says whether it can be read at all. Sources:
arXiv 2411.15477, 2510.07626; the forms are Lethe's own. The model is left alone, and the few-shot examples stay as they
are, but where there are to be none.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from trainables.benchmarks.benign import benign_words
from trainables.benchmarks.layout import Benchmark, Splits
from trainables.benchmarks.rows import Row
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.scores.split import NAME
from trainables.settings import setting

BEFORE = "The weather was calm that week, and people spoke of little but harvests and bad roads."  # 16 words
BEHIND = "Answer in a few words."
WORD = re.compile(r"[A-Za-z]{5,}")
NO_SHOTS = "no_shots"
TEMPLATE, SPACE = "template", "space"
SHAPES = {TEMPLATE: "Q: {question}\nA: ", SPACE: "Question: {question}\nAnswer:"}  # of a question, beside MUSE's
ASKED = ("forget_qa", "retain_qa")  # splits of knowmem


def slipped(question: str, seed: int = 0) -> str:
    """Each word of more than four letters with two neighbours swapped, but those of a name; the same for one seed."""
    draw = Random(f"{seed}\n{question}")
    names = [match.span() for match in NAME.finditer(question)]

    def swap(match: re.Match[str]) -> str:
        word = match[0]
        if any(start < match.end() and match.start() < end for start, end in names):
            return word
        i = draw.choice([i for i in range(len(word) - 1) if word[i] != word[i + 1]] or [0])
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]

    return WORD.sub(swap, question)


FORMS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "typo": slipped,
    "prefix": lambda question: f"{BEFORE} {question}",
    "suffix": lambda question: f"{question} {BEHIND}",
    NO_SHOTS: str,  # the question stays, its examples go
    TEMPLATE: str,  # it is shown in another way, as its examples are
    SPACE: str,  # nothing stands behind the colon: the answer begins with the space
}


@dataclass(frozen=True, kw_only=True)
class Benign(Stress):
    """KnowMem's questions with a harmless word before each, of those that an attack puts into a request."""

    kind: ClassVar[str] = "benign"
    meaning: ClassVar[str] = "a harmless word, which a request may be attacked with, stands before each question"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (
        *(("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")),
        *(("raw", "forget"), ("raw", "retain1")),
    )
    read_by: ClassVar[tuple[str, ...]] = ("knowmem_f", "knowmem_r", "answer_prob_f", "answer_prob_r", "leak_at_100_f")

    def on(self, subject: Any, texts: Texts) -> AbstractContextManager[Any]:
        """The subject as it is."""
        return nullcontext(subject)

    def asked(self, benchmark: Benchmark) -> Benchmark:
        """The benchmark with a word before each question, the same for the same question."""
        words = benign_words(benchmark)
        changed: Splits = {}
        for place in (("knowmem", split) for split in ASKED if benchmark.has("knowmem", split)):
            changed[place] = [
                row | {"question": _behind_a_word(row["question"], words)} for row in benchmark.rows(*place)
            ]
        return Benchmark(name=benchmark.name, splits={**benchmark.splits, **changed})


def _behind_a_word(question: str, words: Sequence[str]) -> str:
    return f"{Random(question).choice(words)} {question}"


@dataclass(frozen=True, kw_only=True)
class Format(Stress):
    """KnowMem's questions in another form. ValueError for a form that is not known."""

    kind: ClassVar[str] = "format"
    meaning: ClassVar[str] = "questions are asked in another form"
    main: ClassVar[str] = "form"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl"))
    # Wrong answers are drawn by a question's wording, so what is picked among them is another choice in another form.
    read_by: ClassVar[tuple[str, ...]] = ("knowmem_f", "knowmem_r", "answer_prob_f", "answer_prob_r", "leak_at_100_f")

    form: str = setting("lower", "how questions are asked", choices=tuple(FORMS))

    def on(self, subject: Any, texts: Texts) -> AbstractContextManager[Any]:
        """The subject as it is."""
        return nullcontext(subject)

    def asked(self, benchmark: Benchmark) -> Benchmark:
        """The benchmark with its questions in this form."""
        changed: Splits = {}
        for split in ASKED:
            own, shots = ("knowmem", split), ("knowmem", f"{split}_icl")
            if benchmark.has(*own):
                changed[own] = [self._row(row) for row in benchmark.rows(*own)]
            if benchmark.has(*shots) and self.form in (NO_SHOTS, TEMPLATE):
                examples = [] if self.form == NO_SHOTS else benchmark.rows(*shots)
                changed[shots] = [self._row(row) for row in examples]
        return Benchmark(name=benchmark.name, splits={**benchmark.splits, **changed})

    def _row(self, row: Row) -> Row:
        asked = row | {"question": FORMS[self.form](row["question"])}
        if self.form in SHAPES:
            asked["shape"] = SHAPES[self.form]
        if self.form == SPACE:
            asked["answer"] = f" {row['answer']}"
        return asked
