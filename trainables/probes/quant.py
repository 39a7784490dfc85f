"""Quantised weights: small steps of unlearning may be rounded away (arXiv 2410.16454). Fake: rounded, and not packed.

Every linear layer is rounded but the output head; embeddings, norms and biases stay, as transformers has it where it
loads a model in 8 or 4 bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from trainables.probes.formats import FORMATS, Quantised
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.probes.weights import put_back
from trainables.settings import setting
from trainables.subjects.subject import models_of


@dataclass(frozen=True, kw_only=True)
class Quant(Stress):
    """Weights as they come out of a format of fewer bits. ValueError for a format that is not known."""

    kind: ClassVar[str] = "quant"
    meaning: ClassVar[str] = "weights are rounded to fewer bits"
    main: ClassVar[str] = "format"

    format: str = setting("nf4", "what weights are rounded to", choices=tuple(FORMATS))

    @contextmanager
    def on(self, subject: Any, texts: Texts) -> Iterator[Any]:
        """Each matrix is rounded in its place, in the precision that it is in; a copy is put back behind the block."""
        weights = [weight for model in models_of(subject) for weight in linear_weights(model)]
        with put_back(weights) as kept:
            for weight, own in zip(weights, kept, strict=True):
                weight.copy_(FORMATS[self.format](own).values)
            yield subject


def linear_weights(model: nn.Module) -> list[Tensor]:
    """The weights [out, in] of all linear layers but the head's, without autograd; each once, however often it stands.

    ValueError for a model without any, such as one whose experts are one tensor.
    """
    others = {id(module.weight) for module in _ends(model) if module is not None}
    found: dict[int, Tensor] = {}
    for module in model.modules():
        if isinstance(module, nn.Linear | Conv1D) and id(module.weight) not in others:
            weight = module.weight.detach()
            found[id(module.weight)] = weight.t() if isinstance(module, Conv1D) else weight  # GPT-2's is [in, out]
    if not found:
        raise ValueError(f"model of type {type(model).__name__} has no linear layer: there is nothing to quantise")
    return list(found.values())


def _ends(model: Any) -> tuple[Any, Any]:
    return model.get_input_embeddings(), model.get_output_embeddings()


def same_codes(model: nn.Module, other: nn.Module, format: str) -> float:
    """The share x100 of weights that a format gives the same code in two models of one architecture; no forward pass.

    100 foretells that quantisation undoes whatever moved the one from the other; below about 90 it says little
    (spec, measured on muse-mini: 75 to 84 without any recovery).
    """
    pairs = zip(linear_weights(model), linear_weights(other), strict=True)
    same = [_codes(one, format) == _codes(two, format) for one, two in pairs]
    return 100 * sum(int(part.sum()) for part in same) / sum(part.numel() for part in same)


def _codes(weight: Tensor, format: str) -> Tensor:
    quantised: Quantised = FORMATS[format](weight)
    return quantised.codes
