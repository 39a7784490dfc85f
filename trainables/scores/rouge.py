"""ROUGE-L F-measure of outputs, each against one truth that stays the same, and the text they are made of.

The package rouge-score is the definition and does the tokenising and stemming, but for protocols with words in any
script (words.py). Its quadratic table is replaced by a longest common subsequence (benchmarks/subsequences.py).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from rouge_score.tokenize import tokenize

from trainables.benchmarks.subsequences import f_measure
from trainables.benchmarks.words import unicode_words
from trainables.scores.protocol import Protocol


class RougeL:
    """Scores outputs against fixed truths; the truths are tokenised once."""

    def __init__(self, truths: Sequence[str], protocol: Protocol) -> None:
        self._words = rouge_words(protocol)
        self._truths = [self._words(truth) for truth in truths]

    def __call__(self, outputs: Sequence[str]) -> np.ndarray:
        """F = 2PR / (P + R) in [0, 1] of each output; P = LCS / its words, R = LCS / words of its truth."""
        pairs = zip(self._truths, outputs, strict=True)
        return np.array([f_measure(truth, self._words(output)) for truth, output in pairs])


@cache
def rouge_words(protocol: Protocol) -> Callable[[str], list[str]]:
    """What a protocol takes for a text's words: those of rouge-score, stemmed or not, or those of any script."""
    if protocol.unicode_words:
        return unicode_words
    if not protocol.use_stemmer:
        return partial(tokenize, stemmer=None)
    from rouge_score.tokenizers import DefaultTokenizer  # loads nltk, for most of a second

    return DefaultTokenizer(use_stemmer=True).tokenize


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of the ids: no special tokens, and with the clean-up of spaces before punctuation.

    The public code asks for clean_up_tokenization_spaces=True; transformers 5 ignores that for a BPE,
    4.40, from which the published figures come, did not. So the clean-up is called by name.
    """
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return tokenizer.clean_up_tokenization(text)


def cut(text: str, words: Iterable[str]) -> str:
    """The text before each of the words, one word after the other."""
    for word in words:
        text = text.split(word)[0]
    return text


def finish(text: str, protocol: Protocol, tokenizer: Any, stop_words: Sequence[str] = ()) -> str:
    """What the protocol scores of a decoded output: cut at EOS and at the stop words, stripped."""
    eos = [tokenizer.eos_token] if protocol.cut_at_eos and tokenizer.eos_token else []
    text = cut(text, [*eos, *stop_words])
    return text.strip() if protocol.strip else text
