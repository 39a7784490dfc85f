"""Optuna's multi-objective samplers by name, seeded for one suggestion at a time.

Their names are read without loading optuna, which a command's help does without.
"""

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {  # the class in optuna.samplers, and what it is made with
    "tpe": ("TPESampler", {"n_startup_trials": 10}),
    "nsga2": ("NSGAIISampler", {"population_size": 20}),
    "nsga3": ("NSGAIIISampler", {"population_size": 20}),
    "random": ("RandomSampler", {}),
}


def find_sampler(name: str) -> tuple[str, dict[str, Any]]:
    """The class of a sampler in optuna.samplers, and what it is made with; ValueError for an unknown name."""
    if name not in SAMPLERS:
        raise ValueError(f"sampler {name!r} is unknown: choose {', '.join(SAMPLERS)}")
    return SAMPLERS[name]


def make_sampler(name: str, *, seed: int, suggestion: int) -> "BaseSampler":
    """Return the sampler that makes suggestion number `suggestion` (from 0) of a study with this seed.

    A sampler made anew for each suggestion has no hidden state: what it suggests is a function of the seed, the
    number and the study's history, so a study that was interrupted goes on as if it had not been.
    """
    kind, more = find_sampler(name)
    from optuna import samplers
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # NSGA-III is marked experimental
        return getattr(samplers, kind)(seed=mixed(seed, suggestion), **more)


def start_up(name: str, *, known: int, left: int) -> str:
    """How many of the trials that are left are drawn at random, before a sampler learns, in words; "" for none.

    `known` are the complete trials that it learns from already. That of `random` never begins to.
    """
    _, options = find_sampler(name)
    learns = options.get("n_startup_trials", options.get("population_size", 0)) - known
    if learns <= 0 or not left:
        return ""
    if left <= learns:
        return f"all {left} trials are start-up trials, drawn at random: {name} learns behind {learns}"
    return f"{learns} of {left} trials are start-up trials, drawn at random: {name} learns for the others"


def mixed(seed: int, suggestion: int) -> int:
    """The seed of one suggestion of a study with a seed: no other suggestion of any study has it, but by chance."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{suggestion}".encode()).digest()[:4], "big")
