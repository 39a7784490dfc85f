"""What a model bears, found by trying it once after loading: a few short passes, each held against a plain one.

    passes = probe(model)     # ValueError, in one line, for a model that cannot be scored right in any way

The rows are random token ids, the same each time. A plain pass is one row without padding or cache; what it gives is
taken for the truth, once later tokens are known to leave earlier logits alone. Logits are compared, never choices, so
that no tie decides. A sliding window or a chunk of attention that texts outgrow is tried with a row that outgrows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainables.decoding.evaluating import evaluating
from trainables.decoding.generate import batches
from trainables.decoding.log_probs import token_logprobs
from trainables.decoding.passes import DECODE, TEXTS, Passes
from trainables.failures import is_memory, reason_of
from trainables.subjects.causal import is_plain
from trainables.subjects.models import check_finite
from trainables.training.data import collate

LENGTHS = (1, 9, 9, 24)  # of the prompts: one far shorter than the longest, two that are equal
NEW = 3  # tokens behind each prompt
PREFIX = 10  # tokens that prompts share, where such a prefix is run once
# Of the mean distance from the best to the median logit. Over all architectures of transformers 5.23 (tiny, fp32, CPU)
# rounding made up to 4e-6, and what is wrong at least 3e-4. A refusal takes ten times as much.
TOLERANCE, TOLERANCE_LOW = 1e-4, 0.03
REFUSED = 10
UNLIKELY = -100.0  # below it, words that are masked and words that are merely unlikely are one
# What a model raises on a pass that it does not bear: not OSError, and not the lack of memory.
FAILURES = (ValueError, TypeError, AttributeError, LookupError, RuntimeError, AssertionError, ArithmeticError)

Ids = list[int]


@dataclass(frozen=True)
class _Truth:
    """Rows, what plain passes give for them, and by how much another pass may differ."""

    rows: Sequence[Ids]
    odds: Sequence[Tensor]  # [T, V] each
    tolerance: float

    def agrees(self, run: Callable[[], Sequence[Tensor]], wanted: Sequence[Tensor], times: float = 1) -> bool:
        """Whether a pass runs and gives what is wanted but for rounding, or for some times as much."""
        try:
            found = run()
        except FAILURES as error:
            if is_memory(error):
                raise
            return False
        # A row that left its batch early is shorter than what is wanted of it.
        off = max(float((f - w[: len(f)]).abs().max()) for f, w in zip(found, wanted, strict=True))
        return off <= times * self.tolerance


def probe(model: Any, *, longest: int = max(LENGTHS)) -> Passes:
    """The fastest ways that give a plain pass's logits; `longest` is the number of tokens of the longest text.

    ValueError, naming the architecture: a plain pass fails, gives numbers that are not finite or not the same twice, or
    later tokens change the logits of earlier ones.
    """
    with evaluating(model):
        rows = draw_rows(model, longest)
        truth = _truth(model, rows)
        _check_plain(model, truth)
        return Passes(decode=_decode_way(model, truth), texts=_texts_way(model, truth))


def check_training(model: Any) -> None:
    """ValueError where rows that share a batch of training, padded on the right, get other logits than alone.

    Where it is for a weight that is no number, such as the embedding of the padding, that is said.
    """
    with evaluating(model):
        truth = _truth(model, draw_rows(model, 0))
        if truth.agrees(partial(_padded, model, truth.rows), truth.odds, REFUSED):
            return
    check_finite(model)
    raise ValueError(
        f"a model of type {name_of(model)} cannot be trained in batches: rows that share one, padded to one length, "
        "change each other"
    )


def _padded(model: Any, rows: Sequence[Ids]) -> list[Tensor]:
    ids, attention = (tensor.to(model.device) for tensor in collate(rows, pad=0))
    logits = model(input_ids=ids, attention_mask=attention, use_cache=False).logits
    return [_odds(found[: len(row)]) for found, row in zip(logits, rows, strict=True)]


def name_of(model: Any) -> str:
    """A model's architecture, as its reader knows it: `mamba (MambaForCausalLM)`."""
    return f"{model.config.model_type} ({type(model).__name__})"


def draw_rows(model: Any, longest: int) -> list[Ids]:
    """Random rows of LENGTHS + NEW ids, or of a window and more where texts outgrow one; no special ids among them."""
    settings = model.config.get_text_config().to_dict()
    special = {value for name, value in settings.items() if "token_id" in name and isinstance(value, int)}
    ids = torch.tensor([i for i in range(settings["vocab_size"]) if i not in special])
    windows = [
        value
        for name, value in settings.items()
        if ("window" in name or "chunk" in name) and isinstance(value, int) and max(LENGTHS) <= value + 8 < longest
    ]
    lengths = (*LENGTHS[:-1], max(windows) + 8) if windows else LENGTHS
    generator = torch.Generator().manual_seed(0)
    return [ids[torch.randint(len(ids), (length + NEW,), generator=generator)].tolist() for length in lengths]


def _truth(model: Any, rows: Sequence[Ids]) -> _Truth:
    odds = [_plain(model, row) for row in rows]
    spread = -torch.cat([row.median(dim=-1).values for row in odds]).mean().item()
    return _Truth(rows, odds, spread * (TOLERANCE if model.dtype == torch.float32 else TOLERANCE_LOW))


def _plain(model: Any, row: Ids) -> Tensor:
    """The odds [T, V] of a plain pass; ValueError where there is none."""
    try:
        logits = model(torch.tensor([row], device=model.device), use_cache=False).logits[0]
    except FAILURES as error:
        if is_memory(error):
            raise
        raise ValueError(f"a model of type {name_of(model)} does not run: {reason_of(error)}") from error
    if logits.isnan().any():
        raise ValueError(f"a model of type {name_of(model)} gives logits that are no numbers")
    return _odds(logits)


def _odds(logits: Tensor) -> Tensor:
    """Logits below the best one: the lowest number there is, of words that are masked, must not hide the others."""
    logits = logits.float()
    return (logits - logits.max(dim=-1, keepdim=True).values).clamp(min=UNLIKELY)


def _check_plain(model: Any, truth: _Truth) -> None:
    row, odds = truth.rows[-1], truth.odds[-1]
    half = len(row) // 2
    if not truth.agrees(lambda: [_plain(model, row)], [odds], REFUSED):
        raise ValueError(f"a model of type {name_of(model)} gives other logits each time: no score of it would hold")
    if not truth.agrees(lambda: [_plain(model, row[:half])], [odds[:half]], REFUSED):
        raise ValueError(
            f"a model of type {name_of(model)} is not causal: later tokens change the logits of earlier ones, so it "
            "predicts no next token that could be scored"
        )


def _decode_way(model: Any, truth: _Truth) -> str:
    own = is_plain(model)
    head = truth.rows[-1][:PREFIX]
    behind = _truth(model, [[*head, *row] for row in truth.rows]) if own else truth
    for way in DECODE if own else DECODE[1:-1]:
        trials = (truth, behind) if way == "shared" else (truth,)
        if all(t.agrees(partial(_continue, model, t.rows, way), _behind_prompts(t)) for t in trials):
            return way
    return "whole"  # a plain pass, and causal


def _behind_prompts(truth: _Truth) -> list[Tensor]:
    return [odds[-NEW - 1 :] for odds in truth.odds]


def _continue(model: Any, rows: Sequence[Ids], way: str) -> list[Tensor]:
    """Odds [NEW + 1, V] behind the prompt and each later token of every row; the first row of a batch leaves early."""
    found: list[list[Tensor]] = [[] for _ in rows]
    with batches(model, [row[:-NEW] for row in rows], NEW, len(rows), way) as started:
        for alive, batch, ids in started:
            for step in range(NEW + 1):
                for i, logits in zip(alive, batch.forward(ids), strict=True):
                    found[i].append(_odds(logits))
                if step == NEW:
                    break
                if step == 1 and len(alive) > 1 and not batch.fixed:
                    batch.keep(torch.arange(1, len(alive), device=model.device))
                    alive = alive[1:]
                ids = torch.tensor([[rows[i][len(rows[i]) - NEW + step]] for i in alive], device=model.device)
    return [torch.stack(row) for row in found]


def _texts_way(model: Any, truth: _Truth) -> str:
    wanted = [_of_targets(odds, row) for odds, row in zip(truth.odds, truth.rows, strict=True)]
    for way in TEXTS[:-1]:
        if truth.agrees(partial(_log_probs, model, truth.rows, way), wanted):
            return way
    return "alone"


def _of_targets(odds: Tensor, row: Ids) -> Tensor:
    targets = torch.tensor(row[1:], device=odds.device)
    return odds[:-1].log_softmax(dim=-1).gather(1, targets[:, None])[:, 0].cpu()


def _log_probs(model: Any, rows: Sequence[Ids], way: str) -> list[Tensor]:
    return [torch.from_numpy(values).float().clamp(min=UNLIKELY) for values in token_logprobs(model, rows, texts=way)]
