"""Which parameters a run moves: all, some, none, or those of adapters that are put beside them.

`matrices` are attention's and the MLP's, `down_proj:1,2` those of these blocks, `lora:8:2.0` adapters of rank 8, scaled
by 2, beside the matrices, `first:2:lora:8:2.0` those of the first two blocks, `queries:lora:8:2.0` those of queries and
keys, `embeddings` those of tokens, `neurons` the MLPs'; and there are `all` and `nothing`.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from trainables.failures import NoSuchWeights
from trainables.settings import EMBEDDINGS, FIRST, LORA, MATRICES, NEURONS, NOTHING, QUERIES, Settings
from trainables.training.adapters import inject

DOWN_PROJ = "down_proj:"
NORM_WORDS = ("norm", "ln_")


def prepare(model: Any, trainable: str, seed: int) -> Any:
    """Freeze what is not to move, and seed what is random in a run: dropout, for batches are drawn by seed and step."""
    torch.manual_seed(seed)
    choose(model, trainable, seed)
    return model


def choose(model: Any, trainable: str, seed: int = 0) -> None:
    """Freeze all but a trainable set; NoSuchWeights where the model has no such parameters.

    Adapters are put into the model, drawn by the seed.
    """
    if trainable == MATRICES:
        freeze(model)
    elif trainable == NOTHING:
        model.requires_grad_(False)
    elif trainable == EMBEDDINGS:
        model.requires_grad_(False)
        model.get_input_embeddings().weight.requires_grad_(True)
    elif trainable == NEURONS:
        _choose_neurons(model)
    elif trainable.startswith(DOWN_PROJ):
        _choose_down_proj(model, [int(number) for number in trainable.removeprefix(DOWN_PROJ).split(",")])
    elif trainable.startswith(FIRST):
        count, inner = trainable.removeprefix(FIRST).split(":", 1)
        _choose_adapters(model, inner, seed, first=int(count))
    elif trainable.startswith(QUERIES):
        _choose_adapters(model, trainable.removeprefix(QUERIES), seed, layers=("q_proj", "k_proj"))
    elif trainable.startswith(LORA):
        _choose_adapters(model, trainable, seed)


def check_weights(model: Any, settings: Settings, trainable: str) -> None:
    """NoSuchWeights where a model lacks a block that a setting numbers, or those weights that are to be trained."""
    count = len(blocks_of(model))
    for name, allowed in settings.allowed().items():
        value = getattr(settings, name)
        if allowed.block and value >= count:
            raise NoSuchWeights(
                f"{name} is {value}: it must be one of the model's {count} blocks, counted from 0, set or searched"
            )
    choose(copy.deepcopy(model), trainable)  # it may be held against further settings


def freeze(model: Any) -> None:
    """Freeze the token and position embeddings, the head and every norm, and leave attention and MLP trainable.

    Source: arXiv 2504.13388, section on experiments.
    """
    for module in (model.get_input_embeddings(), model.get_output_embeddings()):
        if module is not None:
            module.requires_grad_(False)
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) or any(word in name.rsplit(".", 1)[-1].lower() for word in NORM_WORDS):
            module.requires_grad_(False)


def blocks_of(model: Any) -> list[nn.Module]:
    """The transformer blocks of a model, the first first."""
    kinds = model._no_split_modules or ()
    return [module for module in model.modules() if type(module).__name__ in kinds]


def _choose_adapters(
    model: Any, trainable: str, seed: int, *, first: int | None = None, layers: tuple[str, ...] = ()
) -> None:
    """Adapters beside the matrices, where it is said of the first blocks alone, and of layers of these names."""
    blocks = blocks_of(model)
    if first is not None and first > len(blocks):
        raise NoSuchWeights(f"the first {first} blocks are to be trained, and the model has {len(blocks)}")
    rank, scale = trainable.removeprefix(LORA).split(":")
    freeze(model)
    for block in blocks[first:] if first is not None else ():
        block.requires_grad_(False)
    named = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if layers and not any(name.endswith(layers) for name, _ in named):
        raise NoSuchWeights(f"{type(model).__name__} has no {' and '.join(layers)} to be trained")
    for name, module in named if layers else ():
        if not name.endswith(layers):
            module.requires_grad_(False)
    inject(model, int(rank), float(scale), seed)


def _choose_down_proj(model: Any, numbers: list[int]) -> None:
    blocks = blocks_of(model)
    if max(numbers) >= len(blocks):
        raise NoSuchWeights(f"block {max(numbers)} is to be trained, and the model has {len(blocks)} blocks, from 0")
    model.requires_grad_(False)
    for number in numbers:
        found = [weight for name, weight in blocks[number].named_parameters() if "down_proj" in name]
        if not found:
            raise NoSuchWeights(f"block {number} of {type(model).__name__} has no down_proj to be trained")
        for weight in found:
            weight.requires_grad_(True)


def layers_of_neurons(model: Any) -> list[tuple[nn.Linear, list[nn.Linear]]]:
    """Of each block the layer that reads the hidden layer of its MLP, `down_proj`, and those that make it.

    NoSuchWeights where a block has none.
    """
    found = []
    for number, block in enumerate(blocks_of(model)):
        holder = next(
            (part for part in block.modules() if isinstance(getattr(part, "down_proj", None), nn.Linear)), None
        )
        if holder is None:
            raise NoSuchWeights(
                f"block {number} of {type(model).__name__} has no down_proj whose neurons could be found"
            )
        layers = [layer for layer in holder.children() if isinstance(layer, nn.Linear)]
        down = next(layer for layer in layers if layer is holder.down_proj)
        found.append(
            (down, [layer for layer in layers if layer is not down and layer.out_features == down.in_features])
        )
    return found


def _choose_neurons(model: Any) -> None:
    layers = layers_of_neurons(model)
    model.requires_grad_(False)
    for down, made in layers:
        down.weight.requires_grad_(True)
        for layer in made:
            layer.requires_grad_(True)


def trainable_parameters(model: Any) -> list[Tensor]:
    """Return the parameters that unlearning moves, in the model's order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
