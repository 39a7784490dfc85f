"""RWKU's levels: how much of an answer stands in what a model writes to a cloze, a question, and an attack's words.

The questions of kind level1, level2 and level3 of the config `probe`; `level1_r` and `level2_r` ask about neighbours of
what is to be forgotten. A model writes 30 tokens greedily, cut at the first line end; the value is ROUGE-L recall, 0
for an empty line. An affirmative suffix is followed by nothing, examples in the question bring their own "Question:",
all else is "Question: ...\nAnswer: ". RWKU's figures were made with a chat template and an instruction, which are not
here, and by the package rouge, which parts words otherwise. No score reads its texts for membership inference (config
`mia`): a loss has no scale from 0 to 100. arXiv 2406.10890.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.subsequences import lcs_length
from trainables.scores.connected import CONFIG, without
from trainables.scores.knowmem import KnowMem, Row
from trainables.scores.protocol import Protocol
from trainables.scores.rouge import rouge_words
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name

NEW_TOKENS, LINE = 30, "\n"
SHAPES = {  # type of an attack -> how it is written, where it is not written as a question is
    "affirmative suffix": "Question: {question}",
    "incontext learning": "{question}\nAnswer: ",
}
ASKED = {"forget": ("level1", "level2", "level3"), "retain": ("level1", "level2")}  # split -> its kinds
MEANINGS = {"level1": "fills blanks", "level2": "answers", "level3": "answers under attack"}
ABOUT = {"forget": "about what is to be forgotten", "retain": "about its neighbours"}


class Level:
    """The questions of one kind, tokenised once; call it with a model."""

    def __init__(self, rows: Sequence[Row], tokenizer: Any, protocol: Protocol, place: str) -> None:
        shaped = [{**row, "shape": SHAPES[row["type"]]} if row.get("type") in SHAPES else row for row in rows]
        cut = replace(protocol, knowmem_tokens=NEW_TOKENS, stop_words=(LINE,), strip=True)
        self._knowmem = KnowMem(shaped, [], tokenizer, cut, place)
        self._words = rouge_words(protocol)
        self.truths, self.longest = self._knowmem.truths, self._knowmem.longest

    def __call__(self, model: Any, **options: Any) -> Items:
        """Writes a line to each question: the recall of its answer."""
        found = self._knowmem(model, **options)
        return replace(found, values=100 * self._recalls(found.outputs))

    def _recalls(self, outputs: Sequence[str]) -> np.ndarray:
        return np.array(
            [
                recall(self._words(truth), self._words(output))
                for truth, output in zip(self.truths, outputs, strict=True)
            ]
        )


def recall(truth: Sequence[str], output: Sequence[str]) -> float:
    """ROUGE-L recall of lists of words: their longest common subsequence over the truth's words; 0 of an empty one."""
    return lcs_length(truth, output) / len(truth) if truth else 0.0


def prepare(split: str, kind: str, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Level:
    """The questions of one kind of a split of a benchmark."""
    rows = [row for row in benchmark.rows(CONFIG, split) if row["kind"] == kind]
    return Level(rows, tokenizer, protocol, f"{CONFIG}/{split}")


def _level(split: str, kind: str) -> Score:
    return Score(
        card=Card(
            name=f"{kind}_{split[0]}",
            goal="minimize" if split == "forget" else "maximize",
            meaning=f"{MEANINGS[kind]} {ABOUT[split]}",
            item=f"questions {ABOUT[split]}",
            forgotten=split == "forget",
        ),
        needs=((CONFIG, split),),
        prepare=partial(prepare, split, kind),
        words="answer",
        together=by_name,
        lacking="questions by level (config probe)",
        unfit=partial(without, split, (kind,)),
    )


SCORES = tuple(_level(split, kind) for split, kinds in ASKED.items() for kind in kinds)
