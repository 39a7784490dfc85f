"""ROUGE-L of words: what two texts share in one order. Without torch, and of no protocol: words come as lists."""

from collections.abc import Sequence


def f_measure(truth: Sequence[str], output: Sequence[str]) -> float:
    """ROUGE-L F-measure of two lists of words; 0 if either is empty."""
    common = lcs_length(truth, output)
    if common == 0:
        return 0.0
    precision, recall = common / len(output), common / len(truth)
    return 2 * precision * recall / (precision + recall)


def lcs_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence (Hyyro 2004, AWOCA): a row of the table is the bits of an integer."""
    places: dict[str, int] = {}
    for i, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << i
    row = full = (1 << len(a)) - 1
    for word in b:
        match = row & places.get(word, 0)
        row = ((row + match) | (row - match)) & full
    return len(a) - row.bit_count()
