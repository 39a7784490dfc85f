"""Optuna's multi-objective samplers by name, seeded for one suggestion at a time."""

import hashlib
import warnings
from collections.abc import Callable

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=20),
    "nsga3": lambda seed: NSGAIIISampler(seed=seed, population_size=20),
    "random": lambda seed: RandomSampler(seed=seed),
}


def make_sampler(name: str, *, seed: int, suggestion: int) -> BaseSampler:
    """Return the sampler that makes suggestion number `suggestion` (from 0) of a study with this seed.

    A sampler made anew for each suggestion has no hidden state: what it suggests is a function of the seed, the
    number and the study's history, so a study that was interrupted goes on as if it had not been.
    """
    if name not in SAMPLERS:
        raise ValueError(f"sampler {name!r} is unknown: choose {', '.join(SAMPLERS)}")
    mixed = int.from_bytes(hashlib.sha256(f"{seed}/{suggestion}".encode()).digest()[:4], "big")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # NSGA-III is marked experimental
        return SAMPLERS[name](mixed)
