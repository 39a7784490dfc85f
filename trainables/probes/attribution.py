"""Keyword focus: the words of a question on which its answer hangs are said once more before it.

Source: unPact (arXiv 2509.24675), from its abstract. Unverified: which words count is unpublished (here those whose
contribution is more than a standard deviation above the mean), and answers are not judged: how likely the right one
becomes is read, and a word is left out rather than masked.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainables.benchmarks.rows import Row
from trainables.benchmarks.words import split_words
from trainables.decoding.passes import FAST, Passes
from trainables.probes.features import ASKED, SHOTS
from trainables.probes.perturbing import answer_logprobs, answers_of
from trainables.probes.probe import Texts
from trainables.probes.trace import Trace
from trainables.scores.answer_prob import answer_prob
from trainables.scores.score import Items
from trainables.settings import setting

MARKS = " .,;:?!"
Array = np.ndarray


def contributions(whole: float, without: Array) -> Array:
    """What each part adds to a log-probability: that of the whole minus that without the part, [parts]."""
    return whole - without


def keywords(words: list[str], parts: Array) -> list[str]:
    """The words whose contribution [words] is more than a standard deviation above the mean; of equal ones none."""
    return [word for word, part in zip(words, parts, strict=True) if part > parts.mean() + parts.std()]


def focused(question: str, words: list[str]) -> str:
    """A question behind its keywords; as it is where there are none."""
    return f"Keywords: {', '.join(words)}. {question}" if words else question


@dataclass(frozen=True, kw_only=True)
class Focus(Trace):
    """How likely right answers become behind the words on which they hang, by the model itself. Items are questions."""

    kind: ClassVar[str] = "focus"
    meaning: ClassVar[str] = "the words on which an answer hangs are said once more"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (ASKED, SHOTS)
    tells: ClassVar[dict[str, str]] = {
        "focus_f": "how likely it finds right answers about forgotten text behind the words on which they hang",
        "focus_gain_f": "what these words add to that",
    }

    most: int = setting(20, "questions", positive=True)

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """The words are found of each subject anew."""
        rows = texts.benchmark.rows(*ASKED)[: self.most]

        def logprobs(asked: list[Row]) -> list[Array]:
            return answer_logprobs(subject, answers_of(texts, asked), batch_size=batch_size, passes=passes)

        words = [split_words(row["question"]) for row in rows]
        shorter = [
            row | {"question": "".join(own[:i] + own[i + 1 :]).strip()}
            for row, own in zip(rows, words, strict=True)
            for i in range(len(own))
        ]
        plain, less = logprobs(rows), iter(logprobs(shorter))
        asked = []
        for row, own, whole in zip(rows, words, plain, strict=True):
            parts = contributions(float(whole.sum()), np.array([next(less).sum() for _ in own]))
            keys = [word.strip(MARKS) for word in keywords(own, parts)]
            asked.append(row | {"question": focused(row["question"], keys)})
        before, behind = (np.array([100 * answer_prob(own) for own in some]) for some in (plain, logprobs(asked)))
        answers = answers_of(texts, asked)
        prompts, truths = [answer.prompt for answer in answers], [answer.truth for answer in answers]
        said = [f"{value:.1f} of 100" for value in behind]
        return {
            "focus_f": Items(prompts, said, truths, behind),
            "focus_gain_f": Items(prompts, [""] * len(rows), truths, behind - before),
        }
