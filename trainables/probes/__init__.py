"""Probes: stresses that are put on a model, or on its questions, to see whether what seems forgotten comes back."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.probes.stress import Stress

# A new stress is a class in a file here, and its line: by what it is named, and where it is.
STRESSES = {
    "quant": "quant.Quant",
    "relearn_in": "relearn.RelearnIn",
    "relearn_benign": "relearn.RelearnBenign",
    "relearn_unrelated": "relearn.RelearnUnrelated",
    "format": "asking.Format",
}


def stress_class(kind: str) -> "type[Stress]":
    """The class of a stress by its name; ValueError names one that is not known."""
    if kind not in STRESSES:
        raise ValueError(f"stress {kind!r} is unknown: choose one of {', '.join(STRESSES)}")
    module, name = STRESSES[kind].split(".")
    found: type[Stress] = getattr(import_module(f"trainables.probes.{module}"), name)
    return found


def parse(text: str) -> "Stress":
    """A stress with its settings: `quant:nf4`, `relearn_in:share=0.25,k=10`. ValueError names what is not allowed."""
    kind, _, settings = text.partition(":")
    return stress_class(kind).named(settings)
