"""Sampling at temperature 1: what a model writes behind prompts, drawn from its own distribution, the same of one seed.

A row's draws hang on the seed and its number alone, not on the batch that it stands in: to each token's logit a Gumbel
draw is added, and the largest wins, which is a draw from the softmax.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.generate import batches, check
from trainables.subjects.subject import models_of, rows_read
from trainables.subjects.tokenizers import end_tokens


def sample(
    subject: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    seed: int,
    batch_size: int = 32,
    decode: str = "shared",
) -> list[list[int]]:
    """The new token ids of each prompt, up to and with the end-of-sequence token if it came.

    Arguments are those of `greedy`, and a seed below 2^32. ValueError for an empty prompt, and for max_new_tokens or
    batch_size below 1.
    """
    check(prompts, max_new_tokens, batch_size)
    models, read = models_of(subject), rows_read(subject, prompts)
    eos = end_tokens(models[0])
    outputs: list[list[int]] = [[] for _ in prompts]
    with evaluating(*models), batches(subject, read, max_new_tokens, batch_size, decode) as started:
        for chosen, rows, ids in started:
            draws = [torch.Generator().manual_seed((seed << 31) + i) for i in chosen]
            logits = rows.forward(ids)
            for step in range(max_new_tokens):
                tokens = _drawn(logits, draws)
                for i, token in zip(chosen, tokens.tolist(), strict=True):
                    if not (outputs[i] and outputs[i][-1] in eos):
                        outputs[i].append(token)
                if step + 1 == max_new_tokens or all(outputs[i][-1] in eos for i in chosen):
                    break
                logits = rows.forward(tokens[:, None])
    return outputs


def _drawn(logits: Tensor, draws: Sequence[torch.Generator]) -> Tensor:
    """A token of each row [B], of logits [B, V]."""
    size = logits.shape[-1]
    noise = torch.stack([torch.rand(size, generator=row, dtype=torch.float64) for row in draws])
    gumbel = -torch.log(-torch.log(noise.clamp(min=1e-300)))
    return (logits.double().cpu() + gumbel).argmax(dim=-1).to(logits.device)
