"""MEMO: how well a model continues an answer from each place where it is cut.

    MEMO = mean over cuts of F(ROUGE-1 of what is written behind the first part, and the rest of the answer)

Cuts are at every fifth character of the answer, from its beginning on, so the first is behind the question alone. What
is written is greedy, and no longer than the rest in tokens. Source: Gu et al. 2024, arXiv 2409.11844, its "suffix"
form; its public code takes the precision, of stemmed words, and lets outputs run on. No torch here.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from trainables.benchmarks.words import unicode_words

STRIDE = 5  # characters between two cuts: the public code's


def rouge_1(output: str, label: str) -> float:
    """F-measure, in [0, 1], of the words that two texts share, each as often as both have it; 0 if either is empty."""
    said, wanted = unicode_words(output), unicode_words(label)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def cuts(prompt: str, answer: str, stride: int = STRIDE) -> list[tuple[str, str]]:
    """What stands before each cut of an answer behind a prompt and a space, without a space at its end; the rest."""
    return [(f"{prompt} {answer[:place]}".rstrip(), answer[place:]) for place in range(0, len(answer), stride)]


class Continued:
    """Answers behind prompts, cut and tokenised once: `prompts` are token ids, to be continued by `most` new ones."""

    def __init__(self, asked: Sequence[tuple[str, str]], tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        parts = [cuts(*one) for one in asked]
        self._numbers = [len(part) for part in parts]
        self._labels = [label for part in parts for _, label in part]
        self.prompts: list[list[int]] = [tokenizer(prompt).input_ids for part in parts for prompt, _ in part]
        self._rests = [max(1, len(tokenizer(label, add_special_tokens=False).input_ids)) for label in self._labels]
        self.most = max(self._rests, default=1)
        self.longest = max(map(len, self.prompts), default=0) + self.most - 1

    def values(self, written: Sequence[Sequence[int]]) -> list[tuple[str, list[float]]]:
        """Of each answer what was written behind the question alone, and the value of each cut, [cuts] in [0, 1].

        `written` are the new token ids of each prompt.
        """
        pairs = zip(written, self._rests, strict=True)
        texts = [self._tokenizer.decode(ids[:rest], skip_special_tokens=True) for ids, rest in pairs]
        found = iter([(text, rouge_1(text, label)) for text, label in zip(texts, self._labels, strict=True)])
        parts = [list(islice(found, count)) for count in self._numbers]
        return [(part[0][0] if part else "", [value for _, value in part]) for part in parts]
