"""A model of another one's first blocks, with its embeddings, last norm and head: no weight is held twice."""

import copy
from typing import Any

from trainables.failures import NoSuchWeights
from trainables.training.hidden import cut_behind
from trainables.training.trainable import blocks_of


def shallow(model: Any, count: int) -> Any:
    """The model of the first `count` blocks; its weights are the other one's own, and what moves them moves both.

    NoSuchWeights where there are not so many.
    """
    blocks = len(blocks_of(model))
    if not 0 < count <= blocks:
        raise NoSuchWeights(f"blocks is {count}: it must be at least 1 and at most the model's {blocks}")
    with cut_behind(model, count - 1):
        part = copy.deepcopy(model, {id(weight): weight for weight in model.parameters()})
    config = part.config.get_text_config()
    for name, value in config.to_dict().items():
        if isinstance(value, list) and len(value) == blocks and name.endswith(("layers", "layer_types")):
            setattr(config, name, value[:count])  # of each block what it is
    config.num_hidden_layers = count
    return part
