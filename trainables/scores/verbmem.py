"""VerbMem: how much of a forgotten text the model still writes verbatim, given its beginning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables.decoding.generate import greedy
from trainables.decoding.passes import FAST, Passes
from trainables.scores.protocol import Protocol
from trainables.scores.rouge import RougeL, decode, finish
from trainables.world import ALONE, World


@dataclass(frozen=True)
class Answers:
    """What a model wrote, item by item; `values` are ROUGE-L F-measures x100 [n]."""

    prompts: list[str]
    outputs: list[str]
    truths: list[str]
    values: np.ndarray


class VerbMem:
    """The prompts and truths of `verbmem`, tokenised once; call it with a model (MUSE, criterion C1)."""

    def __init__(self, rows: Sequence[Mapping[str, str]], tokenizer: Any, protocol: Protocol) -> None:
        self._tokenizer, self._protocol = tokenizer, protocol
        self.prompts = [row["prompt"] for row in rows]
        self.truths = [_truth(row["gt"], tokenizer, protocol) for row in rows]
        self.ids = [tokenizer(prompt, add_special_tokens=True).input_ids for prompt in self.prompts]
        # Tokens read at once: the last new one is never fed.
        self.longest = max(map(len, self.ids)) + protocol.verbmem_tokens - 1
        self.rouge = RougeL(self.truths, protocol)

    def __call__(self, model: Any, *, batch_size: int = 32, world: World = ALONE, passes: Passes = FAST) -> Answers:
        """Continues each prompt greedily by protocol.verbmem_tokens tokens and scores it; workers share the prompts."""
        tokens = self._protocol.verbmem_tokens
        shared: dict[str, Any] = {"batch_size": batch_size, "decode": passes.decode}
        new = world.share_out(lambda ids: greedy(model, ids, max_new_tokens=tokens, **shared), self.ids)
        outputs = [finish(decode(self._tokenizer, ids), self._protocol, self._tokenizer) for ids in new]
        return Answers(self.prompts, outputs, self.truths, 100 * self.rouge(outputs))


def _truth(text: str, tokenizer: Any, protocol: Protocol) -> str:
    if protocol.truth_tokens is not None:
        # Special tokens count towards the cut and are skipped when decoding, as in the public code.
        text = decode(tokenizer, tokenizer(text, add_special_tokens=True).input_ids[: protocol.truth_tokens])
    return text.strip() if protocol.strip else text
