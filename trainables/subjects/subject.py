"""The contract of a subject, on one page: what can be scored. No torch is loaded for it.

A subject is a causal model of transformers, or a `Subject`: causal models, mostly one, what they read in the place of
each prompt or text, and what is made of their logits. Decoding (`greedy`, `token_logprobs`) runs every model on what is
read, with a cache of its own; so all its shortcuts stay right that were probed on the model: what all rows begin with,
a guard's text included, is run once, and the output layer stands behind the trunk. Only rows that are read decide what
is shared, never those that were asked for. Where there are several models, each has to bear what was probed on the
target, as a copy of it with other weights does.

What changes states or logits within a model has to show it to these shortcuts. A hook on a real model that does not
depend on the row keeps them all. A module that makes logits of its own answers None to `get_output_embeddings`, is its
own `base_model`, and bears a `model_type` of its own: then neither is it taken for its trunk and head, nor is its
attention changed.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

Ids = Sequence[int]


class Subject(ABC):
    """Causal models that are run in the place of one: here one model, that reads the rows as they are.

    It is saved as its models' files and plain data (saving.py), from which its class makes it again.
    """

    kind: ClassVar[str]  # by which its files name it
    folders: ClassVar[tuple[str, ...]] = ("model",)  # in which the files of its models lie
    models: tuple[Any, ...]  # all of which run; the first one's device, positions and ends of texts are its own

    def read(self, ids: Ids) -> Ids:
        """What the models read in the place of a prompt or a text: it ends in all tokens of that but the first.

        So the log-probs of a text of T tokens are the last T - 1 of what is read.
        """
        return ids

    @property
    def longer(self) -> int:
        """By how many tokens what is read is longer, at most."""
        return 0

    def combine(self, logits: Sequence[Any]) -> Any:
        """Its logits [..., V], from those of each of its models at the same places of the same rows."""
        (own,) = logits
        return own

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """What makes it again, beside the models and the tokenizer: texts, numbers, and lists and tables of them."""

    @classmethod
    def plain(cls, data: dict[str, Any]) -> str | None:
        """Of its folders the one whose model it is, to the bit, where its data say that; None: no model is it."""
        return None

    @classmethod
    def made_of(cls, models: Sequence[Any], tokenizer: Any, data: dict[str, Any]) -> Self:
        """It again, of what was saved; TypeError or ValueError for data that make none."""
        return cls(*models, **data)


def models_of(subject: Any) -> tuple[Any, ...]:
    """The causal models of transformers that are run: a subject's own, or itself."""
    return subject.models if isinstance(subject, Subject) else (subject,)


def combined(subject: Any, logits: Sequence[Any]) -> Any:
    """A subject's logits, from those of each of its models."""
    return subject.combine(logits) if isinstance(subject, Subject) else logits[0]


def rows_read(subject: Any, rows: Sequence[Ids]) -> Sequence[Ids]:
    """What a subject's models read in the place of each row."""
    return [subject.read(row) for row in rows] if isinstance(subject, Subject) else rows


def longer(subject: Any) -> int:
    """By how many tokens what a subject's models read is longer than a row, at most."""
    return subject.longer if isinstance(subject, Subject) else 0
