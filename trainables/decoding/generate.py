"""Greedy decoding of many prompts at once, to the same token ids as one prompt at a time.

Prompts are sorted by length, padded on the left, and decoded in batches; a prefix that all share (few-shot examples) is
run once; rows that have stopped leave the batch. Models whose tokens padding, a shared prefix or the cache would change
are decoded by slower ways (passes.py). Plain argmax: penalties and samplers that a model's generation_config may ask
for are not applied. Equality with one-by-one decoding holds in fp32; in bfloat16 the rounding of another batch shape
picks other tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.generation.utils import ALL_CACHE_NAMES

from trainables.decoding.evaluating import evaluating
from trainables.decoding.passes import runs
from trainables.decoding.shared_prefix import Prefix, RowCache, shared_prefix_attention
from trainables.subjects.causal import is_plain
from trainables.subjects.subject import combined, models_of, rows_read
from trainables.subjects.tokenizers import end_tokens

MIN_PREFIX = 8  # a shorter common prefix (a BOS, a word) is not worth a pass of its own
Stop = Callable[[list[int]], bool]
Choose = Callable[[Tensor, Sequence[int]], Tensor]  # the next tokens [B] by logits [B, V] of rows of these numbers


class Rows(Protocol):
    """A batch that is being decoded; rows that have stopped stay in one that is `fixed`."""

    fixed: bool

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [B, V] behind the last of the new ids [B, Q]."""

    def keep(self, index: Tensor) -> None:
        """Drops the rows that are not in `index`."""


Batch = tuple[list[int], "_CombinedRows", Tensor]


def greedy(
    subject: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    batch_size: int = 32,
    stop: Stop | None = None,
    decode: str = "shared",
) -> list[list[int]]:
    """The new token ids of each prompt, each the likeliest, up to and with the end-of-sequence token if it came.

    `prompts` are token ids, in whose place a subject may read others (subjects/subject.py); `stop` sees the new ids of
    one row after each token and says whether the row may end there; `decode` is a way that is right for this model
    (passes.py). Raises ValueError for an empty prompt and for max_new_tokens or batch_size below 1.
    """
    return written(
        subject, prompts, _likeliest, max_new_tokens=max_new_tokens, batch_size=batch_size, stop=stop, decode=decode
    )


def written(
    subject: Any,
    prompts: Sequence[Sequence[int]],
    choose: Choose,
    *,
    max_new_tokens: int,
    batch_size: int,
    stop: Stop | None,
    decode: str,
) -> list[list[int]]:
    """The same by any choice of the next token; the rows that it is given are the numbers of prompts."""
    check(prompts, max_new_tokens, batch_size)
    models, read = models_of(subject), rows_read(subject, prompts)
    eos = end_tokens(models[0])
    outputs: list[list[int]] = [[] for _ in prompts]
    with evaluating(*models), batches(subject, read, max_new_tokens, batch_size, decode) as started:
        for chosen, rows, ids in started:
            found = go_on(rows, rows.forward(ids), eos, max_new_tokens, stop, _of_prompts(choose, chosen))
            for i, new in zip(chosen, found, strict=True):
                outputs[i] = new
    return outputs


def _likeliest(logits: Tensor, rows: Sequence[int]) -> Tensor:
    return logits.argmax(dim=-1)


def _of_prompts(choose: Choose, chosen: Sequence[int]) -> Choose:
    """A choice that is told rows by their places in a batch, whose prompts have these numbers."""
    return lambda logits, rows: choose(logits, [chosen[row] for row in rows])


@contextmanager
def batches(
    subject: Any, prompts: Sequence[Sequence[int]], room: int, batch_size: int, decode: str, *, left: int = 1
) -> Iterator[Iterator[Batch]]:
    """The prompts, as they are read, in batches: their numbers, the rows that run them, what is left of each [B, S].

    Each batch has room for so many new tokens; a prefix that all prompts share is run once where the way allows it,
    and at least so many tokens are left to each of them.
    """
    models = models_of(subject)
    shared = common_prefix(prompts, left) if all(_one_prefix(model, decode) for model in models) else 0
    with ExitStack() as stack:
        begin = [stack.enter_context(_beginning(model, prompts, shared, room, decode)) for model in models]

        def started() -> Iterator[Batch]:
            for run in runs(prompts, decode):
                for first in range(0, len(run), batch_size):
                    chosen = run[first : first + batch_size]
                    ids, real = _left_pad([prompts[i][shared:] for i in chosen], models[0].device)
                    yield chosen, _CombinedRows(subject, [rows(real) for rows in begin]), ids

        yield started()


def _one_prefix(model: Any, decode: str) -> bool:
    """Whether a prefix is run once: elsewhere windows and states of their own may hang on it."""
    return decode == "shared" and is_plain(model)


@contextmanager
def _beginning(
    model: Any, prompts: Sequence[Sequence[int]], shared: int, room: int, decode: str
) -> Iterator[Callable[[Tensor], Rows]]:
    """How a model begins a batch, by where its real tokens are; what all prompts share is run here."""
    if _one_prefix(model, decode):
        prefix = _run_prefix(model, prompts[0][:shared]) if shared else None
        with shared_prefix_attention(model):
            yield lambda real: _SharedRows(model, prefix, shared, real, room)
    elif decode == "whole":
        yield lambda real: _WholeRows(model)
    else:
        yield lambda real: _PlainRows(model, real, padded=decode in ("shared", "padded"))


def common_prefix(sequences: Sequence[Sequence[int]], left: int = 1) -> int:
    """How many leading ids all sequences share: at least MIN_PREFIX or else 0, and so many ids are left to each."""
    if len(sequences) < 2:
        return 0
    # In dictionary order: what the first and the last share, all share.
    first, last = min(sequences, key=list), max(sequences, key=list)
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    shared = min(shared, min(map(len, sequences)) - left)
    return shared if shared >= MIN_PREFIX else 0


def check(prompts: Sequence[Sequence[int]], max_new_tokens: int, batch_size: int) -> None:
    """ValueError for a prompt without tokens, and for max_new_tokens or batch_size below 1."""
    if max_new_tokens < 1 or batch_size < 1:
        raise ValueError(f"max_new_tokens={max_new_tokens} and batch_size={batch_size} must be at least 1")
    empty = [i for i, prompt in enumerate(prompts) if len(prompt) == 0]
    if empty:
        raise ValueError(f"prompt {empty[0]} has no tokens: there is nothing to continue")


def _left_pad(rows: Sequence[Sequence[int]], device: Any) -> tuple[Tensor, Tensor]:
    """Token ids [B, S], 0 where padded, and where the real tokens are, bool [B, S]."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
    real = torch.tensor([[False] * (width - len(row)) + [True] * len(row) for row in rows])
    return ids.to(device), real.to(device)


def go_on(
    rows: Rows,
    logits: Tensor,
    eos: frozenset[int],
    max_new_tokens: int,
    stop: Stop | None,
    choose: Choose = _likeliest,
) -> list[list[int]]:
    """The new token ids of each row of a batch, of which the prompts were read, by the logits [B, V] behind them."""
    outputs: list[list[int]] = [[] for _ in range(len(logits))]
    alive = list(range(len(logits)))  # the output each row of the shrinking batch writes to
    done = [False] * len(alive)
    tokens = choose(logits, alive)  # [B]
    for step in range(max_new_tokens):
        for row, token in enumerate(tokens.tolist()):
            if not done[row]:
                output = outputs[alive[row]]
                output.append(token)
                done[row] = token in eos or (stop is not None and stop(output))
        if all(done) or step + 1 == max_new_tokens:
            break
        if not rows.fixed and 4 * sum(done) >= len(done):  # copying the cache pays once a quarter of the rows is idle
            index = torch.tensor([row for row, over in enumerate(done) if not over], device=tokens.device)
            rows.keep(index)
            tokens = tokens[index]
            alive = [row for row, over in zip(alive, done, strict=True) if not over]
            done = [False] * len(alive)
        tokens = choose(rows.forward(tokens[:, None]), alive)
    return outputs


def _run_prefix(model: Any, ids: Sequence[int]) -> Prefix:
    kept = DynamicCache(config=model.config)
    inputs = torch.tensor([list(ids)], device=model.device)
    model(inputs, past_key_values=kept, use_cache=True, logits_to_keep=1)
    return [(layer.keys[0], layer.values[0]) for layer in kept.layers]


class _CombinedRows:
    """A batch of a subject: its rows in each of its models."""

    def __init__(self, subject: Any, parts: Sequence[Rows]) -> None:
        self.subject, self.parts = subject, parts
        self.fixed = any(rows.fixed for rows in parts)

    def forward(self, ids: Tensor) -> Tensor:
        """The subject's logits [B, V] behind the last of the new ids [B, Q]."""
        return combined(self.subject, [rows.forward(ids) for rows in self.parts])

    def read(self, ids: Tensor, last: int = 0) -> Tensor:
        """The subject's logits behind the last of the new ids [B, Q], as `_SharedRows.read`."""
        return combined(self.subject, [rows.read(ids, last) for rows in self._shared()])

    def branched(self, index: Tensor, dropped: Tensor, room: int) -> "_CombinedRows":
        """Other rows that go on from these, as `_SharedRows.branched`."""
        return _CombinedRows(self.subject, [rows.branched(index, dropped, room) for rows in self._shared()])

    def _shared(self) -> "list[_SharedRows]":
        parts = [rows for rows in self.parts if isinstance(rows, _SharedRows)]
        assert len(parts) == len(self.parts)
        return parts

    def keep(self, index: Tensor) -> None:
        """Drops the rows that are not in `index`."""
        for rows in self.parts:
            rows.keep(index)


class _SharedRows:
    """A batch whose rows read one copy of the prefix (shared_prefix.py)."""

    fixed = False

    def __init__(self, model: Any, prefix: Prefix | None, shared: int, real: Tensor, room: int) -> None:
        self.model, self.prefix, self.real, self.shared = model, prefix, real, shared
        self.cache = RowCache(real.shape[1] + room)
        self.count = real.sum(dim=1)  # [B] real tokens of a row so far
        self.padded = not bool(real.all())
        # [B, 1, 1, room]: what decoding adds to the scores; the tokens to come are never masked.
        self.bias = torch.zeros(len(real), 1, 1, self.cache.room, dtype=model.dtype, device=real.device)
        self.bias[:, 0, 0, : real.shape[1]].masked_fill_(~real, torch.finfo(model.dtype).min)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [B, V] behind the last of the new ids [B, Q]."""
        return self.read(ids, last=1)[:, -1]

    def read(self, ids: Tensor, last: int) -> Tensor:
        """Logits [B, last, V] behind the last of the new ids [B, Q], which go on from what was read.

        Behind all of them for 0, as transformers has it.
        """
        new = ids.shape[1]
        if self.cache.length == 0:
            positions = (self.real.cumsum(dim=1) - 1).clamp(min=0)
            mask: Tensor | None = self._causal()
        else:
            positions = self.count[:, None] + torch.arange(new, device=ids.device)
            self.count = self.count + new
            mask = self._behind(new) if self.padded or new > 1 else None
        extra = {"shared_prefix": self.prefix} if self.prefix else {}
        # A 4D mask passes through transformers untouched; None would make it build its own.
        output = self.model(
            ids,
            attention_mask=mask,
            position_ids=positions + self.shared,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=last,
            **extra,
        )
        self.cache.length += new
        return output.logits

    def _behind(self, new: int) -> Tensor:
        """What is added to the scores of so many tokens behind those that were read: each sees itself, none later."""
        there = self.cache.length
        bias = self.bias[..., : there + new]  # [B, 1, 1, K]
        if new == 1:
            return bias
        later = torch.full((new, there + new), torch.finfo(bias.dtype).min, dtype=bias.dtype, device=bias.device)
        return bias + later.triu(there + 1)  # [B, 1, Q, K]; no key has both, which would be minus infinity

    def _causal(self) -> Tensor:
        width = self.real.shape[1]
        seen = torch.ones(width, width, dtype=torch.bool, device=self.real.device).tril()
        seen = seen & self.real[:, None, None, :]  # [B, 1, S, S]
        # The lowest finite number, not -inf: a padded query sees nothing and must not become nan.
        lowest = torch.finfo(self.model.dtype).min
        return torch.zeros_like(seen, dtype=self.model.dtype).masked_fill_(~seen, lowest)

    def keep(self, index: Tensor) -> None:
        """Drops the rows that are not in `index`."""
        self.cache.keep(index)
        self.count, self.bias = self.count[index], self.bias[index]

    def branched(self, index: Tensor, dropped: Tensor, room: int) -> "_SharedRows":
        """Rows that go on from those in `index` [N], of which only the prompts were read, and which stay as they are.

        The last `dropped` [N] tokens of each are as if they had not been read; there is room for so many others.
        """
        width = self.real.shape[1]
        kept = torch.arange(width, device=index.device) < width - dropped[:, None]  # [N, S]
        rows = _SharedRows(self.model, self.prefix, self.shared, self.real[index] & kept, room)
        rows.cache.take(self.cache, index)
        return rows


class _PlainRows:
    """A batch of any other model: transformers' own attention, mask and cache."""

    def __init__(self, model: Any, real: Tensor, *, padded: bool) -> None:
        self.model = model
        self.fixed = not padded  # caches of states, not of keys and values, cannot let go of a row
        self.cache: dict[str, Any] = {}  # by the name that the model knows it by; the model makes its own kind
        self.mask = real.long() if padded else None  # [B, tokens so far]

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [B, V] behind the last of the new ids [B, Q]."""
        extra = {} if self.mask is None else self._places(self.mask, ids)
        output = self.model(ids, use_cache=True, logits_to_keep=1, **extra, **self.cache)
        self.cache = {name: output[name] for name in ALL_CACHE_NAMES if output.get(name) is not None}
        return output.logits[:, -1]

    def _places(self, mask: Tensor, ids: Tensor) -> dict[str, Tensor]:
        if self.cache:
            mask = torch.cat([mask, mask.new_ones(len(ids), 1)], dim=1)
        self.mask = mask
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        return {"attention_mask": mask, "position_ids": positions}

    def keep(self, index: Tensor) -> None:
        """Drops the rows that are not in `index`."""
        for cache in self.cache.values():
            cache.batch_select_indices(index)
        assert self.mask is not None
        self.mask = self.mask[index]


class _WholeRows:
    """A batch of one row that is run from its first token for each new one."""

    fixed = True

    def __init__(self, model: Any) -> None:
        self.model = model
        self.ids: Tensor | None = None  # [1, tokens so far]

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [1, V] behind the last of the new ids [1, Q]."""
        self.ids = ids if self.ids is None else torch.cat([self.ids, ids], dim=1)
        return self.model(self.ids, use_cache=False).logits[:, -1]

    def keep(self, index: Tensor) -> None:
        """Nothing: a row that has stopped was the last of its batch."""
