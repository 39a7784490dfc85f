"""Naturalness: how likely the target finds what a model writes where it is asked to continue forgotten text.

    naturalness = mean over the tokens it writes of log p, by the target, in nats

Nonsense made of varied words that are words passes the guard, and its fluency is that of language or higher
(scores/language.py). The target never read such text: it finds it unlikely. It holds the target in memory beside the
subject, so it is a trace and no score of every evaluation.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainables.decoding.log_probs import token_logprobs
from trainables.decoding.passes import FAST, Passes
from trainables.probes.probe import Texts
from trainables.probes.trace import Trace
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import Items
from trainables.scores.verbmem import VerbMem
from trainables.settings import setting

PROMPTS = ("verbmem", "forget")


@dataclass(frozen=True, kw_only=True)
class Naturalness(Trace):
    """The mean log-probability of the tokens that a subject writes, read by the target; an item is a prompt."""

    kind: ClassVar[str] = "naturalness"
    meaning: ClassVar[str] = "the target reads what is written to the beginnings of forgotten texts"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (PROMPTS,)
    tells: ClassVar[dict[str, str]] = {
        "naturalness_f": "log-probability a token, in nats, that the target gives what it writes behind forgotten text"
    }

    most: int = setting(50, "prompts", positive=True)

    def of_target(self, target: Any, texts: Texts) -> Any:
        """The target itself, which stays in memory."""
        return target

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """What is written is read with the token that ends it, so there is always one."""
        asked = VerbMem(texts.benchmark.rows(*PROMPTS)[: self.most], texts.tokenizer, PROTOCOLS["muse"])
        written = asked(subject, batch_size=batch_size, passes=passes)
        rows = [[*before, *new] for before, new in zip(asked.ids, written.tokens, strict=True)]
        read = token_logprobs(kept, rows, batch_size=batch_size, texts=passes.texts)
        values = [own[-len(new) :].mean() for own, new in zip(read, written.tokens, strict=True)]
        return {"naturalness_f": Items(written.prompts, written.outputs, written.truths, np.array(values))}
