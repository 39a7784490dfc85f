"""What a model writes behind prompts, and how likely it finds given texts there: each prompt is read once for both.

Greedy decoding (generate.py) and the given texts, or branches, go on from the same cache of what was read, which holds
a prefix that all prompts share (few-shot examples) once. Models for which that is not right decode in the way that is
theirs and read each text whole (passes.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.generate import Batch, Stop, batches, check, go_on, greedy
from trainables.decoding.log_probs import PASS_TOKENS, gathered, token_logprobs
from trainables.decoding.passes import FAST, Passes, runs
from trainables.subjects.causal import is_plain
from trainables.subjects.subject import Ids, models_of, rows_read
from trainables.subjects.tokenizers import end_tokens

Answer = tuple[list[int], list[np.ndarray]]  # new token ids, and log p of each token of every branch


@dataclass(frozen=True)
class Asked:
    """A prompt, and branches of at least one token that go on from its beginning: mostly from all of it.

    A tokenizer may read the end of a prompt together with what follows, so up to a few tokens may be `dropped`, but
    not all.
    """

    prompt: Ids
    branches: Sequence[Ids]
    dropped: int = 0


def answers(
    subject: Any,
    asked: Sequence[Asked],
    *,
    max_new_tokens: int,
    batch_size: int = 32,
    stop: Stop | None = None,
    passes: Passes = FAST,
) -> list[Answer]:
    """The new token ids of each prompt, as `greedy` gives them, and fp32 log-probs in float64 of its branches.

    For max_new_tokens 0 nothing is written.
    A subject reads what it reads in the place of the prompt (subjects/subject.py). At most `batch_size` prompts are
    read at once, and as many branches of one length; what these keep is within PASS_TOKENS of log_probs.py.
    """
    models, prompts = models_of(subject), [one.prompt for one in asked]
    if passes.decode != "shared" or not all(map(is_plain, models)):
        write = partial(greedy, max_new_tokens=max_new_tokens, batch_size=batch_size, stop=stop, decode=passes.decode)
        new = write(subject, prompts) if max_new_tokens else [[] for _ in asked]
        return list(zip(new, _whole(subject, asked, batch_size, passes), strict=True))
    check(prompts, max_new_tokens or 1, batch_size)
    read, eos = rows_read(subject, prompts), end_tokens(models[0])
    left = 1 + max((one.dropped for one in asked), default=0)  # so that no shared prefix holds a beginning's last token
    results: list[Answer] = [([], []) for _ in asked]
    with evaluating(*models), batches(subject, read, max_new_tokens, batch_size, "shared", left=left) as started:
        for batch in started:
            chosen, rows, ids = batch
            logits = rows.read(ids, left)  # [B, left, V]
            branches = _branches(batch, logits, [asked[i] for i in chosen], batch_size)
            new = go_on(rows, logits[:, -1], eos, max_new_tokens, stop) if max_new_tokens else [[] for _ in chosen]
            for i, answer in zip(chosen, zip(new, branches, strict=True), strict=True):
                results[i] = answer
    return results


def _whole(subject: Any, asked: Sequence[Asked], batch_size: int, passes: Passes) -> list[list[np.ndarray]]:
    rows = [[*one.prompt[: len(one.prompt) - one.dropped], *branch] for one in asked for branch in one.branches]
    found = iter(token_logprobs(subject, rows, batch_size=batch_size, texts=passes.texts))
    return [[next(found)[-len(branch) :] for branch in one.branches] for one in asked]


def _branches(batch: Batch, logits: Tensor, asked: Sequence[Asked], batch_size: int) -> list[list[np.ndarray]]:
    """The log-probs of the branches of each row of a batch, by the logits [B, left, V] behind its prompts."""
    _, _, ids = batch
    ends = _places(ids, [-1 - one.dropped for one in asked])
    said = logits[torch.arange(len(asked), device=ids.device), ends].float()  # [B, V]: what may come first
    flat = [(row, one.dropped, branch) for row, one in enumerate(asked) for branch in one.branches]
    index, firsts = (
        _places(ids, column) for column in zip(*((row, branch[0]) for row, _, branch in flat), strict=True)
    )
    first = (said[index, firsts] - said.logsumexp(dim=-1)[index]).double().cpu().numpy()
    rest = [np.empty(0)] * len(flat)  # of branches of one token none is fed
    longer = [i for i, (*_, branch) in enumerate(flat) if len(branch) > 1]
    for run in runs([flat[i][2] for i in longer], "even"):
        most = min(batch_size, max(PASS_TOKENS // (ids.shape[1] + len(flat[longer[run[0]]][2])), 1))
        for begin in range(0, len(run), most):
            chosen = [longer[i] for i in run[begin : begin + most]]
            for i, values in zip(chosen, _rest(batch, [flat[i] for i in chosen]), strict=True):
                rest[i] = values
    whole = iter([np.append(one, more) for one, more in zip(first, rest, strict=True)])
    return [[next(whole) for _ in one.branches] for one in asked]


def _rest(batch: Batch, branches: Sequence[tuple[int, int, Ids]]) -> np.ndarray:
    """The log-probs [N, L - 1] of all tokens but the first of branches of one length L.

    Of each its row, how many tokens are dropped there, and its ids.
    """
    _, rows, ids = batch
    index, dropped, new = (_places(ids, column) for column in zip(*branches, strict=True))  # [N], [N], [N, L]
    found = rows.branched(index, dropped, new.shape[1] - 1).read(new[:, :-1])  # [N, L - 1, V]
    return gathered(found.flatten(0, 1), new[:, 1:].flatten()).view(len(new), -1).double().cpu().numpy()


def _places(like: Tensor, numbers: Sequence[Any]) -> Tensor:
    return torch.tensor(numbers, device=like.device)
