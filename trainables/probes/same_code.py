"""Which share of weights a format of fewer bits cannot tell from the target's: rounded, they are the target's again.

Near 100 it foretells that rounding undoes all; below about 90 it says little. A retrained model's own is what weights
share that have nothing to do with each other's training. No forward pass. Source: spec probes.md, section 3 (derived).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from trainables.decoding.passes import FAST, Passes
from trainables.probes.formats import FORMATS
from trainables.probes.probe import Texts
from trainables.probes.quant import linear_weights
from trainables.probes.trace import Trace
from trainables.scores.score import Items
from trainables.subjects.subject import models_of

COMPARED = ("nf4", "int8")


@dataclass(frozen=True, kw_only=True)
class SameCode(Trace):
    """The share of linear layers' weights that have the target's code; an item is a matrix."""

    kind: ClassVar[str] = "same_code"
    meaning: ClassVar[str] = "weights are compared with the target's as they are in fewer bits"
    tells: ClassVar[dict[str, str]] = {
        f"same_code_{name}": f"share of weights that {name} rounds to the target's own value" for name in COMPARED
    }

    def of_target(self, target: Any, texts: Texts) -> dict[str, list[Tensor]]:
        """The codes of every matrix."""
        return {name: [_codes(weight, name) for weight in _weights(target)] for name in COMPARED}

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for a model whose matrices are not of the target's shapes."""
        weights = _weights(subject)
        shapes, known = ([tuple(w.shape) for w in own] for own in (weights, kept[COMPARED[0]]))
        if shapes != known:
            raise ValueError(f"its weights are not of the target's shapes: {len(shapes)} matrices against {len(known)}")
        return {f"same_code_{name}": _shares(weights, kept[name], name) for name in COMPARED}


def _weights(subject: Any) -> list[Tensor]:
    return [weight for model in models_of(subject) for weight in linear_weights(model)]


def _codes(weight: Tensor, name: str) -> Tensor:
    return FORMATS[name](weight).codes.to(torch.int8).cpu()


def _shares(weights: list[Tensor], known: list[Tensor], name: str) -> Items:
    """A value for each matrix, whose mean is the share of all weights, and whose spread is that of a ratio's."""
    same = np.array([int((_codes(weight, name) == own).sum()) for weight, own in zip(weights, known, strict=True)])
    sizes = np.array([own.numel() for own in known])
    whole = same.sum() / sizes.sum()
    names = [f"matrix {i} of {tuple(own.shape)}" for i, own in enumerate(known)]
    empty = [""] * len(names)
    return Items(names, empty, empty, 100 * (whole + (same - whole * sizes) * len(sizes) / sizes.sum()))
