"""A prompt guard: a fixed text before everything that a model reads. No weight differs from the model's."""

from collections.abc import Sequence
from typing import Any, Self

from trainables.subjects.subject import Ids, Subject
from trainables.subjects.tokenizers import leading_ids


class PromptGuard(Subject):
    """A model that reads `text` before every prompt and text, behind the tokens that begin each of them (a BOS), once.

    The text is tokenised by itself, so nothing merges across the seam; without a text it is the model itself.
    """

    kind = "prompt_guard"

    def __init__(self, model: Any, tokenizer: Any, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"its text is {text!r}: it must be a string")
        self.models, self.text = (model,), text
        self._leading = leading_ids(tokenizer)
        self._ids = tokenizer(text, add_special_tokens=False).input_ids if text else []

    def read(self, ids: Ids) -> Ids:
        """The leading tokens, the guard's text, the rest."""
        first = len(self._leading) if list(ids[: len(self._leading)]) == self._leading else 0
        return [*ids[:first], *self._ids, *ids[first:]]

    @property
    def longer(self) -> int:
        """The tokens of the text."""
        return len(self._ids)

    def data(self) -> dict[str, Any]:
        """Its text."""
        return {"text": self.text}

    @classmethod
    def plain(cls, data: dict[str, Any]) -> str | None:
        """Without a text its model."""
        return None if data.get("text") else cls.folders[0]

    @classmethod
    def made_of(cls, models: Sequence[Any], tokenizer: Any, data: dict[str, Any]) -> Self:
        """See Subject."""
        (model,) = models
        return cls(model, tokenizer, **data)
