"""Optuna's multi-objective samplers by name, seeded for one suggestion at a time.

Their names are read without loading optuna, which a command's help does without.
"""

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {  # the class in optuna.samplers, and what it is made with
    "tpe": ("TPESampler", {}),
    "nsga2": ("NSGAIISampler", {"population_size": 20}),
    "nsga3": ("NSGAIIISampler", {"population_size": 20}),
    "random": ("RandomSampler", {}),
}


def make_sampler(name: str, *, seed: int, suggestion: int) -> "BaseSampler":
    """Return the sampler that makes suggestion number `suggestion` (from 0) of a study with this seed.

    A sampler made anew for each suggestion has no hidden state: what it suggests is a function of the seed, the
    number and the study's history, so a study that was interrupted goes on as if it had not been.
    """
    if name not in SAMPLERS:
        raise ValueError(f"sampler {name!r} is unknown: choose {', '.join(SAMPLERS)}")
    from optuna import samplers
    from optuna.exceptions import ExperimentalWarning

    kind, more = SAMPLERS[name]
    mixed = int.from_bytes(hashlib.sha256(f"{seed}/{suggestion}".encode()).digest()[:4], "big")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # NSGA-III is marked experimental
        return getattr(samplers, kind)(seed=mixed, **more)
