"""Optuna's multi-objective samplers by name, seeded for one suggestion at a time."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

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


class MadeForTrial(BaseSampler):
    """A sampler that is made for each trial by `make`, once that trial has its number.

    Two drivers of a study that ask at the same moment would otherwise both be given the suggestion of the same number.
    """

    def __init__(self, make: Callable[[FrozenTrial], BaseSampler]) -> None:
        self._make = make

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """See BaseSampler; Optuna calls it first."""
        self._sampler = self._make(trial)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See BaseSampler."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See BaseSampler."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See BaseSampler."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """See BaseSampler."""
        self._sampler.after_trial(study, trial, state, values)
