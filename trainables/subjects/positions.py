"""How many tokens a model can take, and whether what it is to read keeps to that. No torch here.

Positions that are learnt, or kept in a table, end with it: beyond it a model fails, on a GPU without a word of why.
Positions by rotation go on, but no such distance was ever trained: that is worth a note.
"""

from collections.abc import Mapping
from typing import Any

NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "max_target_positions")

# They keep no table of positions though they rotate nothing: found by measurements/architectures.py.
ENDLESS = ("inkling2_text", "inkling_text", "jamba", "rwkv", "xglm")


def most_positions(config: Any) -> int | None:
    """The positions that a transformers configuration names; None where it names none (Mamba, RWKV)."""
    settings = config.get_text_config()
    found = (getattr(settings, name, None) for name in NAMES)
    return next((value for value in found if isinstance(value, int) and value > 0), None)


def end_of_positions(config: Any) -> int | None:
    """The tokens beyond which a model fails; None where it goes on."""
    settings = config.get_text_config()
    goes_on = getattr(settings, "rope_parameters", None) or settings.model_type in ENDLESS
    return None if goes_on else most_positions(config)


def check_lengths(lengths: Mapping[str, int], config: Any) -> list[str]:
    """Notes on what is longer than the positions that a model was trained on; `lengths`: what is read -> tokens.

    ValueError, with what is read, length and limit, where its positions end.
    """
    limit, what = most_positions(config), max(lengths, key=lengths.__getitem__, default=None)
    if limit is None or what is None or lengths[what] <= limit:
        return []
    longer = f"{what} needs {lengths[what]} tokens, and {config.model_type} has {limit} positions"
    if end_of_positions(config) is not None:
        raise ValueError(f"{longer}: take shorter texts (in training by --set, {limit} at most), or another model")
    return [f"{longer}; it goes on beyond them, where it was never trained"]
