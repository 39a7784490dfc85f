"""Probes: stresses that are put on a model or its questions, and traces of what it holds, whatever it answers."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.probes.stress import Stress
    from trainables.probes.trace import Trace

# A new stress is a class in a file here, and its line: by what it is named, and where it is.
STRESSES = {
    "quant": "quant.Quant",
    "relearn_in": "relearn.RelearnIn",
    "relearn_benign": "relearn.RelearnBenign",
    "relearn_unrelated": "relearn.RelearnUnrelated",
    "rtt": "relearn.RelearnAnswers",
    "format": "asking.Format",
    "benign": "asking.Benign",
    "icr": "context.Context",
}

# So is a new trace.
TRACES = {
    "same_code": "same_code.SameCode",
    "cka": "features.Cka",
    "knn": "features.Knn",
    "membership_probe": "features.MembershipProbe",
    "remind": "landscape.Remind",
    "noise": "perturbing.Noise",
    "steering": "perturbing.Steering",
    "focus": "attribution.Focus",
    "logit_lens": "lens.LogitLens",
    "naturalness": "writing.Naturalness",
    "honesty": "honesty.Honesty",
}
PROBES = STRESSES | TRACES

# Of what these stresses give, item by item, the most: an audit makes it of their readings.
WORSTS = {"format_worst": ("format:lower", "format:prefix", "format:template", "format:space")}

# Names that stand for several probes.
TIERS = WORSTS | {
    "report": tuple(TRACES),
    "all": (
        *("quant:nf4", "quant:int4", "relearn_in", "relearn_benign", "relearn_unrelated", "rtt"),
        *(*WORSTS["format_worst"], "icr:full", "icr:partial"),
        *TRACES,
    ),
}


def stress_class(kind: str) -> "type[Stress]":
    """The class of a stress by its name; ValueError names one that is not known."""
    if kind not in STRESSES:
        raise ValueError(f"stress {kind!r} is unknown: choose one of {', '.join(STRESSES)}")
    found: type[Stress] = _class(STRESSES[kind])
    return found


def trace_class(kind: str) -> "type[Trace]":
    """The class of a trace by its name; ValueError names one that is not known."""
    if kind not in TRACES:
        raise ValueError(f"trace {kind!r} is unknown: choose one of {', '.join(TRACES)}")
    found: type[Trace] = _class(TRACES[kind])
    return found


def worst_of(stress: str) -> dict[str, list[str]]:
    """What the worst is taken of with a stress among it: its name, and all stresses that it is made of."""
    return {name: list(parts) for name, parts in WORSTS.items() if stress in parts}


def parse(text: str) -> "Stress":
    """A stress with its settings: `quant:nf4`, `relearn_in:share=0.25,k=10`. ValueError names what is not allowed."""
    kind, _, settings = text.partition(":")
    return stress_class(kind).named(settings)


def parse_probe(text: str) -> "Stress | Trace":
    """A stress or a trace with its settings. ValueError names what is not allowed."""
    kind, _, settings = text.partition(":")
    return (trace_class if kind in TRACES else stress_class)(kind).named(settings)


def between_commas(text: str) -> list[str]:
    """What stands between commas; what sets something belongs to the probe before it, as its first setting or a next.

    `quant:nf4, relearn_in,k=10,lr=0.1` is two probes, `relearn_in:k=10,lr=0.1` the second.
    """
    found: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if found and "=" in part.partition(":")[0]:
            found[-1] += f"{',' if ':' in found[-1] else ':'}{part}"
        else:
            found.append(part)
    return found


def _class(place: str) -> "type":
    module, name = place.split(".")
    found: type = getattr(import_module(f"trainables.probes.{module}"), name)
    return found
