"""Log-probs of several texts that begin alike: what they begin with is read once, and each goes on from its cache.

A prefix that the beginnings of all share (few-shot examples) is run once as well, as in greedy decoding. Models for
which that is not right read each text whole, in the way that is theirs (passes.py).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.generate import Batch, batches, common_prefix
from trainables.decoding.log_probs import PASS_TOKENS, gathered, token_logprobs
from trainables.decoding.passes import FAST, Passes
from trainables.subjects.causal import is_plain
from trainables.subjects.subject import Ids, models_of, rows_read

Asked = tuple[Ids, Sequence[Ids]]  # a stem, at least one token, and its branches, of at least one token each


def branch_logprobs(
    subject: Any, asked: Sequence[Asked], *, batch_size: int = 32, passes: Passes = FAST
) -> list[list[np.ndarray]]:
    """log p of each token of every branch behind its stem: an array [tokens] of fp32 values in float64 for each.

    A subject reads what it reads in the place of the stem (subjects/subject.py). At most `batch_size` stems are read at
    once, and as many branches, or more that are short: what they keep is within PASS_TOKENS of log_probs.py.
    """
    models = models_of(subject)
    if passes.decode != "shared" or not all(map(is_plain, models)):
        return _whole(subject, asked, batch_size, passes)
    read = rows_read(subject, [stem for stem, _ in asked])
    most = max((len(branches) for _, branches in asked), default=1)
    room = max((len(branch) for _, branches in asked for branch in branches), default=1)
    own = max(map(len, read), default=1) - common_prefix(read) + room  # tokens that a branch keeps
    stems = min(batch_size, max(batch_size // most, PASS_TOKENS // (most * own), 1))
    results: list[list[np.ndarray]] = [[] for _ in asked]
    with evaluating(*models), batches(subject, read, room, stems, "shared") as started:
        for batch in started:
            branches = [asked[i][1] for i in batch[0]]
            for i, values in zip(batch[0], _read(batch, branches), strict=True):
                results[i] = values
    return results


def _whole(subject: Any, asked: Sequence[Asked], batch_size: int, passes: Passes) -> list[list[np.ndarray]]:
    rows = [[*stem, *branch] for stem, branches in asked for branch in branches]
    found = iter(token_logprobs(subject, rows, batch_size=batch_size, texts=passes.texts))
    return [[next(found)[-len(branch) :] for branch in branches] for _, branches in asked]


def _read(batch: Batch, branches: Sequence[Sequence[Ids]]) -> list[list[np.ndarray]]:
    """The branches of each row of a batch, all at once."""
    _, rows, ids = batch
    flat = [(row, branch) for row, own in enumerate(branches) for branch in own]
    # The first token of a branch is said by its stem: of one token, none is fed.
    first = gathered(rows.forward(ids)[_places(ids, [row for row, _ in flat])], _places(ids, [b[0] for _, b in flat]))
    longer = [(row, branch) for row, branch in flat if len(branch) > 1]
    rest = iter(_rest(batch, longer).double().cpu().split([len(branch) - 1 for _, branch in longer]) if longer else ())
    said = iter(first.double().cpu().split(1))
    return [
        [torch.cat([next(said), next(rest)]).numpy() if len(branch) > 1 else next(said).numpy() for branch in own]
        for own in branches
    ]


def _rest(batch: Batch, longer: Sequence[tuple[int, Ids]]) -> Tensor:
    """The log-probs of all tokens but the first of branches, each with the row of its stem, one behind the other."""
    _, rows, ids = batch
    width = max(len(branch) for _, branch in longer)
    # Padded on the right: no token looks there.
    padded = torch.tensor([[*branch, *[0] * (width - len(branch))] for _, branch in longer], device=ids.device)
    wanted = torch.arange(1, width, device=ids.device) < _places(ids, [len(branch) for _, branch in longer])[:, None]
    rows.keep(_places(ids, [row for row, _ in longer]))
    return gathered(rows.read(padded[:, :-1])[wanted], padded[:, 1:][wanted])


def _places(ids: Tensor, numbers: Sequence[int]) -> Tensor:
    return torch.tensor(numbers, device=ids.device)
