"""Per-token log-probs of texts, in batches, with no more than a chunk of logits in memory at once.

What else logits say of each token is read by the same pass (`token_values`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.passes import runs
from trainables.subjects.subject import combined, models_of, rows_read

# Of the trunk at once, padding counted: more of them leave the cache of a CPU and feed a GPU no better.
PASS_TOKENS = 2048
ROWS = 128  # of logits of which a whole distribution is held at once, in several tables of their size
LEAST_VARIANCE = 1e-6  # of a distribution's log-probs: a uniform one has none

Measure = Callable[[Tensor, Tensor], Tensor]  # of logits [N, V], in any type, and the tokens that came [N]: values [N]


def token_logprobs(
    subject: Any,
    sequences: Sequence[Sequence[int]],
    *,
    batch_size: int = 32,
    chunk: int = 1024,
    texts: str = "padded",
) -> list[np.ndarray]:
    """log p(x_t | x_<t) for t = 2..T of each sequence of T token ids: float64 arrays of T - 1 fp32 values.

    As `token_values` gives them.
    """
    return token_values(subject, sequences, gathered, batch_size=batch_size, chunk=chunk, texts=texts)


def token_values(
    subject: Any,
    sequences: Sequence[Sequence[int]],
    measure: Measure,
    *,
    batch_size: int = 32,
    chunk: int = 1024,
    texts: str = "padded",
) -> list[np.ndarray]:
    """A measure of the logits for t = 2..T of each sequence of T token ids: float64 arrays of T - 1 values.

    Where a subject reads more than a sequence (subjects/subject.py), that is behind it, and has no values of its own.
    The trunk runs at most `batch_size` rows at a time, the output layer `chunk` positions; `texts` is a way that is
    right for this model (passes.py). Raises ValueError for a sequence of fewer than 2 tokens, which predicts nothing.
    """
    short = [i for i, sequence in enumerate(sequences) if len(sequence) < 2]
    if short:
        raise ValueError(f"sequence {short[0]} has {len(sequences[short[0]])} tokens: at least 2 are needed")
    models, read = models_of(subject), rows_read(subject, sequences)
    results: list[np.ndarray] = [np.empty(0)] * len(read)
    with evaluating(*models):
        split = bool(read) and all(_head_is_last(model, read[0][:2]) for model in models)
        for run in runs(read, texts):
            for chosen in _batches(run, read, batch_size):
                rows = [read[i] for i in chosen]
                for i, values in zip(chosen, _batch(subject, rows, measure, chunk, split), strict=True):
                    results[i] = values
    return [values[-(len(sequence) - 1) :] for values, sequence in zip(results, sequences, strict=True)]


def _batches(order: Sequence[int], sequences: Sequence[Sequence[int]], batch_size: int) -> Iterator[Sequence[int]]:
    """Runs of `order` (shortest first) of at most batch_size rows and PASS_TOKENS tokens (or of one row)."""
    first = 0
    for end in range(1, len(order) + 1):
        rows = end + 1 - first
        full = rows > batch_size or (end < len(order) and rows * len(sequences[order[end]]) > PASS_TOKENS)
        if full or end == len(order):
            yield order[first:end]
            first = end


def _batch(subject: Any, rows: Sequence[Sequence[int]], measure: Measure, chunk: int, split: bool) -> list[np.ndarray]:
    models = models_of(subject)
    lengths = [len(row) for row in rows]
    width = max(lengths)
    # Padded on the right: causal attention never looks there, so no mask is needed and none slows the kernel.
    ids = torch.tensor([list(row) + [0] * (width - len(row)) for row in rows], device=models[0].device)
    predicts = torch.arange(width - 1, device=ids.device) < torch.tensor(lengths, device=ids.device)[:, None] - 1
    inputs, targets = ids[:, :-1], ids[:, 1:][predicts]  # [B, T-1], [N]
    if split:
        hidden = [model.base_model(inputs, use_cache=False).last_hidden_state[predicts] for model in models]  # [N, D]
        heads = [model.get_output_embeddings() for model in models]
        parts = zip(targets.split(chunk), *(states.split(chunk) for states in hidden), strict=True)
        values = torch.cat(
            [
                measure(combined(subject, [head(h) for head, h in zip(heads, states, strict=True)]), some)
                for some, *states in parts
            ]
        )
    else:
        logits = [model(inputs, use_cache=False).logits[predicts] for model in models]  # [N, V]
        values = measure(combined(subject, logits), targets)
    parts = values.double().cpu().split([length - 1 for length in lengths])
    return [part.numpy() for part in parts]


def gathered(logits: Tensor, targets: Tensor) -> Tensor:
    """The log-prob [N] in fp32 of each target [N] by its row of logits [N, V]."""
    logits = logits.float()  # [N, V]
    return logits.gather(1, targets[:, None])[:, 0] - logits.logsumexp(dim=-1)


def likeliest(logits: Tensor, targets: Tensor) -> Tensor:
    """Whether each target [N] is what greedy decoding takes by its row of logits [N, V]: 1 or 0."""
    return (logits.argmax(dim=-1) == targets).float()


def standardised(logits: Tensor, targets: Tensor) -> Tensor:
    """(log p(x) - mu) / sigma in fp32 of each target x [N], mu and sigma those of log p(v) over v drawn from p, [N, V].

    Source: Min-K%++ (arXiv 2404.02936). The variance is at least 1e-6, so that a uniform distribution gives 0.
    """
    return torch.cat([_standardised(*part) for part in zip(logits.split(ROWS), targets.split(ROWS), strict=True)])


def _standardised(logits: Tensor, targets: Tensor) -> Tensor:
    log_probs = logits.float().log_softmax(dim=-1)
    probs = log_probs.exp()
    came = log_probs.gather(1, targets[:, None])[:, 0]
    log_probs = torch.where(probs > 0, log_probs, 0)  # what cannot come adds nothing: 0 * -inf would be nan
    mean = (probs * log_probs).sum(dim=-1)
    variance = (probs * (log_probs - mean[:, None]).square()).sum(dim=-1).clamp(min=LEAST_VARIANCE)
    return (came - mean) / variance.sqrt()


# By name, for those who load no torch until they measure.
MEASURES: dict[str, Measure] = {"log-prob": gathered, "likeliest": likeliest, "standardised": standardised}


def _head_is_last(model: Any, probe: Sequence[int]) -> bool:
    """Whether logits are the output layer of the trunk's states, not scaled or capped after, as some are."""
    head = model.get_output_embeddings()
    if head is None or model.base_model is model:
        return False
    ids = torch.tensor([list(probe)], device=model.device)
    states = model.base_model(ids, use_cache=False).last_hidden_state
    whole = model(ids, use_cache=False).logits
    return states.shape[-1] == head.weight.shape[-1] and torch.allclose(head(states), whole, rtol=1e-3, atol=1e-4)
