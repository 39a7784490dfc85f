"""How a model is run so that it gives the logits of a plain forward pass: the ways, the fastest first. No torch here.

A plain pass is one row from its first token to its last, without padding and without a cache. `capabilities.probe`
finds the fastest way that gives the same logits; every worker takes the one that is stored with the reference scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

# To continue prompts. "shared": padded on the left, one copy of what all prompts begin with (shared_prefix.py);
# "padded": the same with the model's own attention and cache; "even": rows of one length share a batch; "alone": one
# row at a time; "whole": no cache either, each token costs a plain pass.
DECODE = ("shared", "padded", "even", "alone", "whole")
TEXTS = ("padded", "even", "alone")  # to score texts: padded on the right; rows of one length; one at a time


@dataclass(frozen=True, kw_only=True)
class Passes:
    """The way of a model for each kind of work; the defaults are a plain causal transformer's."""

    decode: str = "shared"
    texts: str = "padded"


FAST = Passes()


def runs(rows: Sequence[Sequence[int]], way: str) -> list[list[int]]:
    """The rows' numbers, shortest first, in runs of which any part may be a batch."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    if way in ("alone", "whole"):
        return [[i] for i in order]
    if way == "even":
        return [list(run) for _, run in groupby(order, key=lambda i: len(rows[i]))]
    return [order] if order else []
