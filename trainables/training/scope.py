"""Scope-aware unlearning: retain text that stands behind forget text has to stay as likely as the text by itself.

A row is a forget sequence, a blank line, and a retain sequence; only the tokens of the retain sequence are learned. It
says that what is done to forget text ends where that text ends. Ren et al. 2025, arXiv 2506.00359, as far as its
abstract goes; no code of it is public.
"""

from typing import Any

import numpy as np

from trainables.losses.logits import gdr
from trainables.method import Start
from trainables.training.data import Read
from trainables.training.descend import Term
from trainables.weighted import Weighted

BLANK = "\n\n"  # between the two texts
SCOPE = 3  # the stream of its draws, and of what stands behind what


def scope_terms(start: Start, settings: Weighted, positions: int | None) -> list[Term]:
    """The scope term, where it has a weight; no row has more tokens than the model has positions."""
    if not settings.scope_weight:
        return []
    read = mixed(start, min(settings.max_length, positions or settings.max_length), settings.seed)
    return [
        Term(
            name="scope_loss",
            sequences=read.sequences,
            stream=SCOPE,
            weight=settings.scope_weight,
            loss=lambda batch: gdr(batch.log_p()),
            leading=read.leading,
        )
    ]


def mixed(start: Start, max_length: int, seed: int) -> Read:
    """Each forget sequence before a retain sequence, each retain sequence behind a forget sequence, drawn by the seed.

    Of a row above `max_length` tokens the forget sequence gives its beginning, down to half of the row, and then the
    retain sequence its end.
    """
    count = max(len(start.forget), len(start.retain))
    before, behind = (
        np.resize(np.random.default_rng((seed, SCOPE, side)).permutation(len(texts)), count).tolist()
        for side, texts in enumerate((start.forget, start.retain))
    )
    blank = start.tokenizer(BLANK, add_special_tokens=False).input_ids
    rows = [
        _joined([*start.forget[one], *blank], _bare(start.retain[other], start.tokenizer), max_length)
        for one, other in zip(before, behind, strict=True)
    ]
    return Read([ids for ids, _ in rows], [leading for _, leading in rows])


def _bare(ids: Any, tokenizer: Any) -> list[int]:
    """A sequence without its begin token."""
    return list(ids[1:] if ids[0] == tokenizer.bos_token_id else ids)


def _joined(before: list[int], behind: list[int], max_length: int) -> tuple[list[int], int]:
    """Two sequences as one of at most so many tokens, and how many targets lie before the second."""
    kept = behind[: max(max_length - len(before), max_length // 2)]
    over = max(0, len(before) + len(kept) - max_length)
    read = before[:1] + before[1 + over :]
    return read + kept, len(read) - 1
