"""Suggestions: a sampler that is made anew for each trial, and a trial's parameters, some of which hang on others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from lethe.store.parameters import belongs


def suggest_all(trial: optuna.Trial, distributions: Mapping[str, BaseDistribution]) -> None:
    """Suggest a trial's parameters in their order; of several methods, those of the one that was suggested first."""
    for name, distribution in distributions.items():
        if belongs(name, trial.params):
            suggest(trial, name, distribution)


def suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> None:
    """Suggest one parameter."""
    match distribution:
        case FloatDistribution():
            trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
        case IntDistribution():
            trial.suggest_int(name, distribution.low, distribution.high)
        case CategoricalDistribution():
            trial.suggest_categorical(name, distribution.choices)


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
