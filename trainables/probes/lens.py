"""Logit lens: which answers the hidden states behind earlier blocks already hold, though the model may not give them.

States of the answer's tokens go through what the model itself has behind its last block: final norm, head, and whatever
scales or caps its logits. So a method that only mends the end of a model is seen: the answer is likely until then. The
best of all blocks lifts every model: only what is beyond the retrained model's says something. Sources: spec probes.md,
section 9; arXiv 2309.17410, from memory.

A trace and no score of every evaluation: the pass of `answer_prob` goes on from a cache of the prompt, in ways that
show no states, and candidates that are made of several models have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.log_probs import gathered, likeliest
from trainables.decoding.passes import FAST, Passes
from trainables.probes.features import ASKED, SHOTS
from trainables.probes.perturbing import Answer, answers_of
from trainables.probes.probe import Texts
from trainables.probes.states import batches, changed, only_model, outputs
from trainables.probes.trace import Trace
from trainables.scores.answer_prob import answer_prob
from trainables.scores.score import Items
from trainables.settings import setting
from trainables.training.hidden import cut_behind

STATES = 128  # that go through the end of a model at once: each has logits of the whole vocabulary
DEPTHS = {"quarter": 0.25, "half": 0.5, "late": 0.75, "end": 1.0}  # shares of the blocks
Array = np.ndarray


def logits_behind(model: Any, states: Tensor) -> Tensor:
    """The logits [N, V] that a model would give if states [N, d] came out of its last block."""
    ids = torch.zeros((1, len(states)), dtype=torch.long, device=model.device)  # the first block's answer is not used
    with cut_behind(model, 0), changed(model, 0, lambda out: states[None].to(out.dtype)):
        logits: Tensor = model(ids, use_cache=False).logits[0]
    return logits


def check_end(model: Any) -> None:
    """ValueError for a model whose logits are not made of what comes out of its last block, state by state."""
    ids = torch.tensor([[0, 1]], device=model.device)
    states = outputs(model, ids, lambda out: out[0])[-1]
    own, found = model(ids, use_cache=False).logits[0].float(), logits_behind(model, states).float()
    if not torch.allclose(found, own, rtol=1e-2, atol=1e-2 * float(own.abs().max())):
        raise ValueError(
            f"the end of a {type(model).__name__} cannot be read behind its earlier blocks: no lens fits it"
        )


def lens(
    subject: Any, answers: Sequence[Answer], *, batch_size: int = 32, passes: Passes = FAST
) -> tuple[list[Array], Array]:
    """How each block would end: log p [blocks, tokens] of each answer, and whether its first is likeliest [blocks, n].

    ValueError for a subject of several models, or one whose end is not its own (`check_end`).
    """
    model = only_model(subject)
    found: list[Array] = [np.empty(0)] * len(answers)
    first = []
    order: list[int] = []
    with evaluating(model):
        check_end(model)
        for chosen, ids, lengths in batches(model, subject, [one.ids for one in answers], batch_size, passes):
            counts = [len(answers[i].ids) - answers[i].begin for i in chosen]
            ends = lengths.tolist()
            rows = [row for row, count in enumerate(counts) for _ in range(count)]
            places = [end - count + i for end, count in zip(ends, counts, strict=True) for i in range(count)]
            before, came = [place - 1 for place in places], ids[rows, places]
            blocks = outputs(model, ids, partial(_at, rows=rows, places=before))
            read = [_read(model, states, came) for states in blocks]
            begins = np.cumsum([0, *counts[:-1]])
            first.append(np.stack([right[begins] for _, right in read]))
            whole = np.stack([logprobs for logprobs, _ in read])
            for i, values in zip(chosen, np.split(whole, begins[1:], axis=1), strict=True):
                found[i] = values
            order += chosen
    return found, np.concatenate(first, axis=1)[:, np.argsort(order)]


def _at(out: Tensor, rows: list[int], places: list[int]) -> Tensor:
    return out[rows, places]  # [N, d]


def _read(model: Any, states: Tensor, came: Tensor) -> tuple[Array, Array]:
    """log p of the tokens that came [N], and whether each is likeliest, by the states before them [N, d]."""
    parts = [
        (gathered(logits, tokens), likeliest(logits, tokens))
        for some, tokens in zip(states.split(STATES), came.split(STATES), strict=True)
        for logits in [logits_behind(model, some)]
    ]
    logprobs, right = (torch.cat(column).double().cpu().numpy() for column in zip(*parts, strict=True))
    return logprobs, right


@dataclass(frozen=True, kw_only=True)
class LogitLens(Trace):
    """How likely right answers are by the states behind earlier blocks; an item is a question."""

    kind: ClassVar[str] = "logit_lens"
    meaning: ClassVar[str] = "hidden states behind earlier blocks are read as the last ones are"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (ASKED, SHOTS)
    tells: ClassVar[dict[str, str]] = {
        "lens_f": "how likely right answers about forgotten text are by the hidden states behind the best block",
        "lens_top_f": "share of them whose first token is the likeliest behind any block",
        "lens_quarter_f": "how likely they are behind a quarter of the blocks",
        "lens_half_f": "how likely they are behind half of the blocks",
        "lens_late_f": "how likely they are behind three quarters of the blocks",
        "lens_end_f": "how likely they are behind all blocks",
    }

    most: int = setting(200, "questions", positive=True)

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError as `lens` raises it."""
        answers = answers_of(texts, texts.benchmark.rows(*ASKED)[: self.most])
        logprobs, first = lens(subject, answers, batch_size=batch_size, passes=passes)
        likely = np.array([[100 * answer_prob(block) for block in own] for own in logprobs]).T  # [blocks, n]
        depths = {f"lens_{name}_f": likely[ceil(share * len(likely)) - 1] for name, share in DEPTHS.items()}
        values = {"lens_f": likely.max(axis=0), "lens_top_f": 100 * first.max(axis=0), **depths}
        prompts, truths = [answer.prompt for answer in answers], [answer.truth for answer in answers]
        return {
            name: Items(prompts, [f"{value:.1f} of 100" for value in own], truths, own) for name, own in values.items()
        }
