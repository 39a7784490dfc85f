"""The contract of a subject, on one page: what can be scored. No torch is loaded for it.

A subject is a causal model of transformers, or a `Subject`: a causal model, and what is read in the place of each
prompt or text. Decoding (`greedy`, `token_logprobs`) runs the model on what is read; so all its shortcuts stay right
that were probed on the model: what all rows begin with, a guard's text included, is run once, and the output layer
stands behind the trunk. Only rows that are read decide what is shared, never those that were asked for.

What changes states or logits has to show it to these shortcuts. A hook on a real model that does not depend on the row
keeps them all. A module that makes logits of its own (of two models, say) answers None to `get_output_embeddings`, is
its own `base_model`, and bears a `model_type` of its own: then neither is it taken for its trunk and head, nor is its
attention changed.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

Ids = Sequence[int]


class Subject(ABC):
    """A causal model that is run in the place of another one: it reads other rows, and its weights are its own.

    It is saved as its model's files and plain data (saving.py), from which its class makes it again:
    `PromptGuard(model, tokenizer, **guard.data())`.
    """

    kind: ClassVar[str]  # by which its files name it
    model: Any

    @abstractmethod
    def read(self, ids: Ids) -> Ids:
        """What the model reads in the place of a prompt or a text: it ends in all tokens of that but the first.

        So the log-probs of a text of T tokens are the last T - 1 of what is read.
        """

    @property
    @abstractmethod
    def longer(self) -> int:
        """By how many tokens what is read is longer, at most."""

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """What makes it again, beside the model and the tokenizer: texts, numbers, and lists and tables of them."""


def model_of(subject: Any) -> Any:
    """The causal model of transformers that is run: a subject's own, or itself."""
    return subject.model if isinstance(subject, Subject) else subject


def rows_read(subject: Any, rows: Sequence[Ids]) -> Sequence[Ids]:
    """What a subject's model reads in the place of each row."""
    return [subject.read(row) for row in rows] if isinstance(subject, Subject) else rows


def longer(subject: Any) -> int:
    """By how many tokens what a subject's model reads is longer than a row, at most."""
    return subject.longer if isinstance(subject, Subject) else 0
