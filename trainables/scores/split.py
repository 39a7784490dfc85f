"""The items by which a candidate is chosen, and those by which it is reported: two halves of each score's items.

The interval of what was chosen because it looked best holds its truth less often than it says: of the best of 72
points over 100 items in about 74% instead of 95%. Over items that no choice saw it holds. Which half an item is in
hangs on the items alone, so it is the same for all models, studies and workers. What belongs together, such as two
prompts of one text, is in the same half. A score of too few items keeps all of them for both. No torch here.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

MOST_WIDE = 100 / 3  # points: how wide the 95% interval over one half may be at worst
SHUFFLE = "lethe"  # what is hashed with a group: another word would be another split


def reporting(groups: Sequence[str], kinds: Sequence[str]) -> np.ndarray | None:
    """A mask [n] of the items that report; the others choose. None where there are too few for two halves.

    `groups` name what belongs together, `kinds` the samples, each of which is halved by itself. Each group goes where
    fewer items of its kind are, in an order that nobody chose.
    """
    order = sorted(set(zip(kinds, groups, strict=True)), key=_shuffled)
    sizes = Counter(zip(kinds, groups, strict=True))
    filled: Counter[tuple[str, bool]] = Counter()
    reports: dict[tuple[str, str], bool] = {}
    for kind, group in order:
        reports[kind, group] = filled[kind, True] < filled[kind, False]
        filled[kind, reports[kind, group]] += sizes[kind, group]
    halves = [min(filled[kind, True], filled[kind, False]) for kind in dict.fromkeys(kinds)]
    if width(halves) > MOST_WIDE:
        return None
    return np.array([reports[pair] for pair in zip(kinds, groups, strict=True)])


def _shuffled(group: tuple[str, str]) -> str:
    return hashlib.sha256("\n".join((SHUFFLE, *group)).encode("utf-8", "surrogatepass")).hexdigest()


def width(sizes: Sequence[int]) -> float:
    """How wide the 95% interval of so many items is at worst: of a share of one half, or of an AUC between two samples.

    By normal theory, in points: 2 * 1.96 * 50 / sqrt(n), and 2 * 1.96 * 100 * sqrt((m + n + 1) / (12 m n)). Of more
    samples, which a mean is taken of, it is that of the smallest.
    """
    if min(sizes, default=0) == 0:
        return math.inf
    if len(sizes) != 2:
        return 2 * 1.96 * 50 / math.sqrt(min(sizes))
    return 2 * 1.96 * 100 * math.sqrt((sum(sizes) + 1) / (12 * math.prod(sizes)))


def alone(prompts: Sequence[str]) -> list[str]:
    """Groups of items of which each is by itself, but for those with the same prompt."""
    return list(prompts)


def by_text(prompts: Sequence[str]) -> list[str]:
    """Groups of prompts that begin a text: one that goes on from another is of the same text."""
    beginnings: dict[str, str] = {}
    first = ""
    for prompt in sorted(set(prompts)):  # a text stands right before what goes on from it, its shortest first
        first = first if first and prompt.startswith(first) else prompt
        beginnings[prompt] = first
    return [beginnings[prompt] for prompt in prompts]


NAME = re.compile(r"(?<!^)\b[A-Z][\w'’&.-]*(?: [A-Z][\w'’&.-]*)*")  # not the word that begins the question


def by_name(prompts: Sequence[str]) -> list[str]:
    """Groups of few-shot prompts whose last question names the same: its longest run of capitalised words.

    A question without one is by itself.
    """
    asked = [question(prompt) for prompt in prompts]
    return [max(NAME.findall(text), key=len, default=text).rstrip(".?") for text in asked]


def question(prompt: str) -> str:
    """What a few-shot prompt asks in the end; all of a prompt that asks nothing."""
    return prompt.rsplit("Question: ", 1)[-1].removesuffix("\nAnswer: ")
