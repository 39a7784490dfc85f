"""How many tokens a model can take, and whether what it is to read keeps to that. No torch here.

Positions that are learnt, or kept in a table, end with it: beyond it a model fails, on a GPU without a word of why.
Positions by rotation go on, but no such distance was ever trained: that is worth a note.
"""

from collections.abc import Mapping
from typing import Any

NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "max_target_positions")


def most_positions(config: Any) -> int | None:
    """The positions that a transformers configuration names; None where it names none (Mamba, RWKV)."""
    settings = config.get_text_config()
    found = (getattr(settings, name, None) for name in NAMES)
    return next((value for value in found if isinstance(value, int) and value > 0), None)


def check_lengths(lengths: Mapping[str, int], config: Any) -> list[str]:
    """Notes on what is longer than the positions that a model was trained on; `lengths`: split -> tokens.

    ValueError, with split, length and limit, where its positions end.
    """
    limit = most_positions(config)
    split = max(lengths, key=lengths.__getitem__, default=None)
    if limit is None or split is None or lengths[split] <= limit:
        return []
    longer = f"{split} needs {lengths[split]} tokens, and {config.model_type} has {limit} positions"
    if not getattr(config.get_text_config(), "rope_parameters", None):
        raise ValueError(f"{longer}: take shorter texts (in training: --set max_length={limit}), or another model")
    return [f"{longer}; it goes on beyond them, where it was never trained"]
